import type { DeviceSnapshot, Figures } from './snapshot.ts';

/** Steps within which devices are taken for alike; each is a factor. */
const runStep = Math.log(1.05);
const energyStep = Math.log(1.02);
const linkStep = Math.log(1.25);
/** Absolute ones. */
const decodeStepMs = 5;
const cameraStep = 0.05;

type Traits = Pick<
  DeviceSnapshot,
  'kind' | 'slots' | 'accelerated' | 'power' | 'bytesPerMs' | 'rttMs' | 'decodeMs' | 'cameraLoad'
>;

/**
 * What work costs on a device, but for what it has in hand, as a text: the same for devices that may stand for each other. Runs and joules count as
 * means over all variants, in factors, so that the chance of single measurements does not tell devices of one kind apart.
 * @param variants what is known of the variants that the device can run, by their keys.
 */
export function likenessOf(device: Traits, variants: Iterable<readonly [key: string, figures: Figures]>): string {
  const { kind, slots, accelerated, power, bytesPerMs, rttMs, decodeMs, cameraLoad } = device;
  const runs = new FactorMean();
  const joules = new FactorMean();
  const loaded: string[] = [];
  for (const [key, { run, energyJ, loadedUntilMs }] of variants) {
    if (run) runs.add(run.meanMs);
    if (energyJ !== undefined) joules.add(energyJ);
    if (loadedUntilMs > 0) loaded.push(key);
  }
  const link = `${step(bytesPerMs, linkStep)} ${step(1 + rttMs, linkStep)}`;
  const taken = `${Math.round(decodeMs / decodeStepMs)} ${Math.round(cameraLoad / cameraStep)}`;
  const figures = `${runs.step(runStep)} ${joules.step(energyStep)}`;
  return `${kind}|${slots} ${accelerated}|${likePower(power)}|${link}|${taken}|${figures}|${loaded.sort().join(' ')}`;
}

/** Floors are whole numbers as a rule: those at the floor are told from those above it. */
function likePower({ onBattery, levelPct, policy }: DeviceSnapshot['power']): string {
  if (!onBattery) return levelPct === undefined ? 'mains' : 'charging';
  const level = levelPct === undefined ? '?' : Math.ceil(levelPct);
  return `${level} ${policy.floorPct ?? '?'} ${policy.mainsOnly === true}`;
}

function step(value: number, width: number): number {
  return Math.round(Math.log(Math.max(1e-9, value)) / width);
}

/** A geometric mean. */
class FactorMean {
  #count = 0;
  #log = 0;

  add(value: number): void {
    this.#count += 1;
    this.#log += Math.log(Math.max(1e-9, value));
  }

  step(width: number): string {
    return this.#count === 0 ? '-' : `${this.#count}:${Math.round(this.#log / this.#count / width)}`;
  }
}
