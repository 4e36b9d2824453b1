/** A device that is this hot, or slows itself down, is too hot for cameras, °C: before agents rest by themselves, at 90. */
const hotC = 85;
/** And cool again so far below it. */
const coolC = 80;
/** For as long without a break, ms: a moment of sun or one hard piece of work is not heat. */
const heatsUpMs = 10_000;
const coolsDownMs = 60_000;

/** Whether a device is too hot: for some time, not for one reading. */
export class Thermometer {
  /** Why it is too hot, for a person; `undefined` when it is not. */
  heat: string | undefined;
  /** Since when its readings say otherwise, monotonic ms. */
  #turnedMs: number | undefined;

  read(temperatureC: number | undefined, throttled: boolean, nowMs: number): void {
    const wasHot = this.heat !== undefined;
    const isHot = throttled || (temperatureC !== undefined && temperatureC >= (wasHot ? coolC : hotC));
    if (isHot === wasHot) {
      this.#turnedMs = undefined;
      if (isHot) this.heat = wordsFor(temperatureC, throttled);
      return;
    }
    this.#turnedMs ??= nowMs;
    if (nowMs - this.#turnedMs < (wasHot ? coolsDownMs : heatsUpMs)) return;
    this.#turnedMs = undefined;
    this.heat = isHot ? wordsFor(temperatureC, throttled) : undefined;
  }
}

function wordsFor(temperatureC: number | undefined, throttled: boolean): string {
  const degrees = temperatureC === undefined ? '' : `it is at ${Math.round(temperatureC)} °C`;
  const slow = throttled ? 'it slows itself down' : '';
  return [degrees, slow].filter((words) => words !== '').join(' and ');
}
