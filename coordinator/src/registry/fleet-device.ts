import type { AttemptTimings, PeerKey, Telemetry, VariantProfile } from '@shoal/protocol';
import type { DeviceRecord, DeviceView } from '../domain/index.ts';
import type { DeviceSnapshot } from '../placement/index.ts';

/** How much the newest run weighs in the running mean of what runs take. */
const newestWeight = 0.2;
/** A link that was not measured: 100 Mbit/s, bytes per ms. */
const assumedBytesPerMs = 12_500;
/** A model that ran within this time is taken to be still loaded, ms. */
const staysLoadedMs = 300_000;

/** A pause after a device said no doubles from the first to the last of these, ms. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** A member of the fleet while the coordinator runs: its record, what it last said, and what is with it now. */
export class FleetDevice implements DeviceSnapshot {
  record: DeviceRecord;
  readonly key: PeerKey;
  presence: DeviceSnapshot['presence'] = 'suspect';
  /** Monotonic, ms. */
  lastHeardMs: number;
  /** Wall clock, for people. `undefined`: not since the coordinator started. */
  lastSeenMs: number | undefined;
  telemetry: Telemetry | undefined;
  running = 0;
  backlogMs = 0;
  cameraLoad = 0;
  pause: DeviceSnapshot['pause'];
  bytesPerMs = assumedBytesPerMs;
  decodeMs = 0;
  #pauseMs = firstPauseMs;
  #profiles = new Map<string, VariantProfile>();
  readonly #runs = new Map<string, { meanMs: number; lastMs: number }>();

  constructor(record: DeviceRecord, key: PeerKey, nowMs: number) {
    this.record = record;
    this.key = key;
    this.lastHeardMs = nowMs;
    this.setRecord(record);
  }

  setRecord(record: DeviceRecord): void {
    this.record = record;
    this.#profiles = new Map(record.profiles.map((profile) => [`${profile.model}/${profile.variant}`, profile]));
  }

  get id(): string {
    return this.record.id;
  }

  get draining(): boolean {
    return this.record.draining;
  }

  get labels(): DeviceRecord['labels'] {
    return this.record.labels;
  }

  get hasEngine(): boolean {
    return this.record.capability.runtimes.length > 0;
  }

  get slots(): number {
    return Math.max(1, this.record.capability.taskSlots);
  }

  get onBattery(): boolean {
    const charging = this.telemetry?.charging;
    if (typeof charging === 'boolean' && this.record.capability.hasBattery) return !charging;
    return this.record.capability.powerSource === 'battery';
  }

  get batteryPct(): number | undefined {
    return this.telemetry?.batteryPct ?? undefined;
  }

  runMs(model: string, variant: string): number | undefined {
    const key = `${model}/${variant}`;
    return this.#runs.get(key)?.meanMs ?? this.#profiles.get(key)?.p50Ms;
  }

  loadMs(model: string, variant: string, nowMs: number): number | undefined {
    const key = `${model}/${variant}`;
    if (this.telemetry?.loadedModels.includes(key)) return 0;
    const run = this.#runs.get(key);
    if (run && nowMs - run.lastMs < staysLoadedMs) return 0;
    return this.#profiles.get(key)?.loadMs;
  }

  /** An attempt is with the device until {@link drop} with the same figure. */
  take(expectedMs: number): void {
    this.running += 1;
    this.backlogMs += expectedMs;
  }

  drop(expectedMs: number): void {
    this.running = Math.max(0, this.running - 1);
    // Sums of fractions drift: nothing in hand is nothing to wait for.
    this.backlogMs = this.running === 0 ? 0 : Math.max(0, this.backlogMs - expectedMs);
  }

  /** Learns from a run that is over. */
  learn(model: string, variant: string, timings: AttemptTimings, inputBytes: number, nowMs: number): void {
    this.#pauseMs = firstPauseMs;
    const tookMs = timings.inferenceMs;
    // Decoding the input is the same work whichever variant runs then, so it must not count against the one that ran.
    this.decodeMs += newestWeight * (timings.decodeMs - this.decodeMs);
    const key = `${model}/${variant}`;
    const before = this.runMs(model, variant) ?? tookMs;
    if (tookMs > 0) this.#runs.set(key, { meanMs: before + newestWeight * (tookMs - before), lastMs: nowMs });
    if (timings.transferMs >= 1 && inputBytes > 0) {
      this.bytesPerMs += newestWeight * (inputBytes / timings.transferMs - this.bytesPerMs);
    }
  }

  /** The device does not want more for now: it is left alone for a moment, longer each time in a row. */
  pauseFor(reason: string, nowMs: number): number {
    const forMs = this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, forMs * 2);
    this.pause = { untilMs: nowMs + forMs, reason };
    return forMs;
  }

  view(): DeviceView {
    return {
      ...this.record,
      presence: this.presence,
      ...(this.lastSeenMs !== undefined && { lastSeenMs: this.lastSeenMs }),
      ...(this.telemetry && { telemetry: this.telemetry }),
      running: this.running,
    };
  }
}
