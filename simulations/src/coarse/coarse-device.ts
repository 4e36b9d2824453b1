import type { FleetDevice } from '@shoal/coordinator';
import type { Random } from '@shoal/protocol';
import type { DeviceClass, DeviceGroup, ModelName } from '../fleet/index.ts';
import { usualMs, variation } from './run-times.ts';

const minuteMs = 60_000;

/** When things happen in its world. */
interface Timeline {
  /** Time of the day and all that, ms. */
  wallMs(): number;
  after(delayMs: number, act: () => void): void;
}

/** A run that a device was given. */
export interface Job {
  readonly model: ModelName;
  readonly variant: 'int8' | 'float32';
  /** Its deadline has passed: it is not begun any more. */
  isOver(): boolean;
  onLeft(): void;
  onDone(took: { readonly queuedMs: number; readonly inferenceMs: number; readonly loadMs: number }): void;
}

/** What a device was given, and has not brought to an end. */
export interface Held {
  /** It is known that the device has stopped, and what it did is lost. */
  lose(): void;
}

/** What goes on on a device all the time: cameras. */
export interface Standing {
  /** Part of its time, 0..1: the rest takes longer by that much. */
  readonly load: number;
  /** Above idling. */
  readonly watts: number;
}

const nothing: Standing = { load: 0, watts: 0 };

/** What a device really does, as a state machine: a queue, slots, a battery, heat. The scheduler never sees into it; it sees what agents report. */
export class CoarseDevice {
  readonly known: FleetDevice;
  readonly group: DeviceGroup;
  readonly kind: DeviceClass;
  /** Joules left in its battery. */
  batteryJ: number;
  /** Drawn by work, above idling, so far; and what of it was for cameras. */
  workJ = 0;
  cameraJ = 0;
  /** Time that its slots were busy so far, ms. */
  busyMs = 0;
  /** When work first took the battery under its floor, and when it first was at it for whatever reason. */
  underFloorMs: number | undefined;
  atFloorMs: number | undefined;
  /** Everything takes so many times as long: it throttles, or something else runs on it. */
  slowdown = 1;
  /** Made with the first work: of a hundred thousand devices, few get any. */
  #held: Set<Held> | undefined;
  #isUp = true;
  #standing = nothing;
  readonly #random: Random;
  readonly #timeline: Timeline;
  readonly #waiting: { readonly job: Job; readonly sinceMs: number }[] = [];
  readonly #loaded = new Set<string>();
  #loadedList: readonly string[] = [];
  readonly #loading = new Set<string>();
  #running = 0;
  /** Goes up with each crash: what was begun before is forgotten. */
  #life = 0;
  #lastMs: number;

  constructor(known: FleetDevice, group: DeviceGroup, kind: DeviceClass, random: Random, timeline: Timeline) {
    this.#timeline = timeline;
    this.#lastMs = timeline.wallMs();
    this.known = known;
    this.group = group;
    this.kind = kind;
    this.#random = random;
    const { battery } = group;
    const levelPct = battery ? battery.levelPct + (random.next() * 2 - 1) * battery.spreadPct : 100;
    this.batteryJ = battery ? (battery.wattHours * 3_600 * Math.min(100, levelPct)) / 100 : Number.POSITIVE_INFINITY;
  }

  get levelPct(): number | undefined {
    const { battery } = this.group;
    return battery ? (100 * this.batteryJ) / (battery.wattHours * 3_600) : undefined;
  }

  /** What it was given and has not brought to an end, as whoever gave it knows. */
  get held(): Set<Held> {
    this.#held ??= new Set();
    return this.#held;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** From now on so much goes on all the time. */
  stand(standing: Standing): void {
    this.settle();
    this.#standing = standing;
  }

  /** Its processes crash: what was in memory is lost, and nothing is heard of it. */
  fail(): void {
    this.stand(nothing);
    this.#isUp = false;
    this.#waiting.length = 0;
    this.#running = 0;
    this.#life += 1;
    this.#loaded.clear();
    this.#loading.clear();
  }

  recover(): void {
    this.settle();
    this.#isUp = true;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running;
  }

  /** Whether a charger or the sun brings more than the device draws while it idles. */
  get isCharging(): boolean {
    return this.#chargeWatts(this.#timeline.wallMs()) > this.kind.idleWatts;
  }

  /** The device has the last word, as agents do: it refuses what would be late for what is before it. */
  admits({ model, variant }: Pick<Job, 'model' | 'variant'>, timeLeftMs: number): boolean {
    if (this.queued === 0) return true;
    const before = (this.queued + this.running) / this.kind.slots;
    return (before + 1) * usualMs(this.kind, model, variant) <= timeLeftMs;
  }

  give(job: Job): void {
    this.#waiting.push({ job, sinceMs: this.#timeline.wallMs() });
    this.#next();
  }

  /** Takes a model into memory before anything asks for it. */
  warm(model: string, variant: string, onLoaded = () => {}): void {
    const key = `${model}/${variant}`;
    if (!this.#isUp || this.#loading.has(key) || this.#loaded.has(key)) return;
    this.#loading.add(key);
    this.#timeline.after(this.kind.loadMs, () => {
      if (this.#loading.delete(key)) this.#loaded.add(key);
      onLoaded();
    });
  }

  /** What is in memory, as an agent reports it: `model/variant`. */
  get loaded(): readonly string[] {
    if (this.#loadedList.length !== this.#loaded.size) this.#loadedList = [...this.#loaded];
    return this.#loadedList;
  }

  /** Lets the battery run down, or up, until now. */
  settle(): void {
    const nowMs = this.#timeline.wallMs();
    const ms = nowMs - this.#lastMs;
    if (ms <= 0) return;
    this.#lastMs = nowMs;
    const { load, watts } = this.#standing;
    const cameraJ = (watts * ms) / 1_000;
    const taskMs = this.running * (1 - load) * ms;
    const workJ = cameraJ + (this.kind.busyWatts * taskMs) / 1_000 / this.kind.slots;
    this.workJ += workJ;
    this.cameraJ += cameraJ;
    this.busyMs += taskMs + load * this.kind.slots * ms;
    const { battery } = this.group;
    if (!battery) return;
    const fullJ = battery.wattHours * 3_600;
    const idleJ = this.#isUp ? (this.kind.idleWatts * ms) / 1_000 : 0;
    const chargeJ = (this.#chargeWatts(nowMs) * ms) / 1_000;
    this.batteryJ = Math.min(fullJ, Math.max(0, this.batteryJ + chargeJ - idleJ - workJ));
    if (this.batteryJ > (fullJ * battery.floorPct) / 100) return;
    this.atFloorMs ??= nowMs;
    if (workJ > 0 && chargeJ < idleJ + workJ) this.underFloorMs ??= nowMs;
  }

  #next(): void {
    const { after, wallMs } = this.#timeline;
    while (this.running < this.kind.slots) {
      const next = this.#waiting.shift();
      if (!next) return;
      if (next.job.isOver()) {
        next.job.onLeft();
        continue;
      }
      this.settle();
      const { job, sinceMs } = next;
      const life = this.#life;
      this.#running += 1;
      const key = `${job.model}/${job.variant}`;
      const loadMs = this.#loaded.has(key) ? 0 : this.kind.loadMs;
      this.#loaded.add(key);
      const inferenceMs = this.#draw(job);
      const tookMs = (loadMs + inferenceMs) / (1 - this.#standing.load);
      // What frames of cameras take of its slot is time that it waits.
      const queuedMs = wallMs() - sinceMs + tookMs - loadMs - inferenceMs;
      after(tookMs, () => {
        if (life !== this.#life) return;
        this.settle();
        this.#running -= 1;
        job.onDone({ queuedMs, inferenceMs, loadMs });
        this.#next();
      });
    }
  }

  #draw({ model, variant }: Job): number {
    return usualMs(this.kind, model, variant) * this.slowdown * variation(this.#random);
  }

  #chargeWatts(nowMs: number): number {
    const minute = (nowMs / minuteMs) % 1_440;
    let watts = 0;
    for (const { fromMinute, toMinute, watts: each } of this.group.battery?.charging ?? []) {
      const open =
        fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute;
      if (open) watts += each;
    }
    return watts;
  }
}
