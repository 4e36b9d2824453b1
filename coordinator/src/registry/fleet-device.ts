import type {
  AttemptTimings,
  ImportPeerKey,
  LinkKind,
  PeerId,
  PeerKey,
  Telemetry,
  VariantProfile,
} from '@shoal/protocol';
import type { DeviceRecord, DeviceView } from '../domain/index.ts';
import {
  type CameraShare,
  type DecodeBudget,
  type DeviceSnapshot,
  type Duration,
  decodeCapacity,
  type Figures,
  fromQuantiles,
  likenessOf,
  type Menu,
  memoryStepOf,
  noTime,
  Options,
  optionsOf,
  type Power,
  sum,
  variantKey,
} from '../placement/index.ts';
import { KnownVariant } from './known-variant.ts';
import { LinkWatch } from './link-watch.ts';
import type { Share } from './share.ts';
import { Slowdown } from './slowdown.ts';
import { Thermometer } from './thermometer.ts';

/** How much the newest run weighs in a running mean. */
const newestWeight = 0.2;
/** A link that was not measured: 100 Mbit/s, bytes per ms. */
const assumedBytesPerMs = 12_500;
/** A device that did not say what it draws while it idles, watts: a small board. */
const assumedIdleWatts = 3;
const joulesPerWattHour = 3_600;

/** A pause after a device said no doubles from the first to the last of these, ms. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** What others measured is taken with so many times its variance. */
const priorDoubt = 4;
/** A measurement so many times off what others of its kind found is not believed. */
const unbelievable = 10;
/** Changes of a link (factors' logarithms) and of decoding (ms) that are news to placement. */
const linkNews = Math.log(1.1);
const decodeNewsMs = 2;
/** Menus whose options are kept ready. */
const mostMenus = 16;
const noOptions = new Options([], new Float64Array());
const noPolicy: Power['policy'] = {};
const unknownPower: Power = {
  onBattery: false,
  levelPct: undefined,
  capacityJ: undefined,
  idleWatts: assumedIdleWatts,
  policy: noPolicy,
};

/** What others of a device's kind measured. */
interface Priors {
  find(kind: string, model: string, variant: string): Duration | undefined;
}

/** Told when something changes that placement looks at; and when nothing but what is with the device does. */
interface DeviceWatcher {
  put(device: FleetDevice): void;
  shift(device: FleetDevice): void;
}

/** Of very many devices most have nothing in these: each is made when there is something to be put into it. */
const noProfiles: ReadonlyMap<string, VariantProfile> = new Map();
const noVariants: ReadonlyMap<string, KnownVariant> = new Map();
const noKeys: ReadonlySet<string> = new Set();

/** A member of the fleet while the coordinator runs: its record, what it last said, and what is with it now. */
export class FleetDevice implements DeviceSnapshot {
  record: DeviceRecord;
  /** Monotonic, ms. */
  lastHeardMs: number;
  /** Wall clock, for people. `undefined`: not since the coordinator started. */
  lastSeenMs: number | undefined;
  running = 0;
  backlog: Duration = noTime;
  /** Of the work that is with it. */
  #heldJ = 0;
  /** By work that has ended since its battery was last heard of. */
  #spentJ = 0;
  placed = 0;
  cameraLoad = 0;
  cameraWatts = 0;
  decode: DecodeBudget = { capacity: decodeCapacity(1), taken: 0, factor: 1 };
  heat: string | undefined;
  power: Power = unknownPower;
  bytesPerMs = assumedBytesPerMs;
  rttMs = 0;
  decodeMs = 0;
  readonly id: string;
  // Of the record, side by side: placement reads them of many devices.
  name = '';
  kind = '';
  labels: DeviceRecord['labels'] = {};
  draining = false;
  hasEngine = false;
  accelerated = false;
  slots = 1;
  freeBytes = Number.POSITIVE_INFINITY;
  /** Variants that its cameras run: those are not unloaded. */
  #inUse = noKeys;
  watcher: DeviceWatcher | undefined;
  /** Told when something may be different that people look at. */
  followers: { touched(id: PeerId): void } | undefined;
  readonly #importKey: ImportPeerKey;
  readonly #priors: Priors | undefined;
  #pauseMs = firstPauseMs;
  #profiles = noProfiles;
  /** By their keys, each once somebody asked for it. */
  #variants: Map<string, KnownVariant> | undefined;
  /** By the menu's key, until something changes. */
  #options: Map<string, Options> | undefined;
  #lastMenu: Menu | undefined;
  #lastOptions = noOptions;
  #link: LinkWatch | undefined;
  #slowdown: Slowdown | undefined;
  readonly #thermometer = new Thermometer();
  #factor = 1;
  #telemetry: Telemetry | undefined;
  #alikeAt = { bytesPerMs: assumedBytesPerMs, rttMs: 0, decodeMs: 0 };
  /** Something ran since it last said what it has in memory. */
  #hasRun = false;
  #presence: DeviceSnapshot['presence'] = 'suspect';
  /** Nothing was heard of its battery since it was away, or since the coordinator started. */
  #awaitsLevel = true;
  /** The last that it said, percent. */
  #levelPct: number | undefined;
  #pause: DeviceSnapshot['pause'];

  constructor(record: DeviceRecord, importKey: ImportPeerKey, nowMs: number, priors?: Priors) {
    this.record = record;
    this.id = record.id;
    this.#importKey = importKey;
    this.lastHeardMs = nowMs;
    this.#priors = priors;
    this.setRecord(record);
  }

  setRecord(record: DeviceRecord): void {
    this.record = record;
    const { board, cpuModel, cores, runtimes, taskSlots } = record.capability;
    this.name = record.name;
    this.labels = record.labels;
    this.draining = record.draining;
    this.hasEngine = runtimes.length > 0;
    this.slots = Math.max(1, taskSlots);
    this.decode = { ...this.decode, capacity: decodeCapacity(cores) };
    this.kind = `${board || cpuModel} x${cores} ${runtimes.join(' ')}`;
    // `onnxruntime-node/1.30.0 cpu`: whatever is named last runs it.
    this.accelerated = runtimes.some((runtime) => !/ (cpu|wasm)$/.test(runtime));
    this.#profiles =
      record.profiles.length === 0
        ? noProfiles
        : new Map(record.profiles.map((profile) => [variantKey(profile.model, profile.variant), profile]));
    for (const key of this.#profiles.keys()) this.#variant(key);
    for (const [key, variant] of this.#known) variant.expect(this.#said(key), this.#profiles.get(key));
    this.power = this.#powerNow();
    this.freeBytes = this.#freeNow();
    this.#changed();
    this.followers?.touched(this.id);
  }

  /** Not kept here: an imported key takes as much as all the rest. */
  get key(): PeerKey {
    return this.#importKey('device', this.record.publicKey);
  }

  get presence(): DeviceSnapshot['presence'] {
    return this.#presence;
  }

  set presence(presence: DeviceSnapshot['presence']) {
    this.#presence = presence;
    if (presence === 'offline') {
      this.#awaitsLevel = true;
      this.power = this.#powerNow();
    }
    this.watcher?.put(this);
    this.followers?.touched(this.id);
  }

  get pause(): DeviceSnapshot['pause'] {
    return this.#pause;
  }

  set pause(pause: DeviceSnapshot['pause']) {
    this.#pause = pause;
    this.watcher?.put(this);
  }

  get committedJ(): number {
    return this.#heldJ + this.#spentJ;
  }

  get telemetry(): Telemetry | undefined {
    return this.#telemetry;
  }

  /** Most of what a device says is what it said before: then nothing has to be thought over. */
  set telemetry(telemetry: Telemetry | undefined) {
    const before = this.#telemetry;
    this.#telemetry = telemetry;
    const levelPct = telemetry?.batteryPct ?? undefined;
    // A gauge that fails leaves what it said last, less what is drawn from then on. One that never said anything is not waited for.
    const isLevelNews = levelPct !== undefined || this.#levelPct === undefined;
    if (isLevelNews) {
      this.#levelPct = levelPct;
      this.#spentJ = 0;
    }
    const isLoadNews = this.#hasRun || !sameList(telemetry?.loadedModels, before?.loadedModels);
    if (isLoadNews) this.#takeLoaded(telemetry?.loadedModels ?? []);
    const isPowerNews =
      this.#awaitsLevel || telemetry?.charging !== before?.charging || telemetry?.batteryPct !== before?.batteryPct;
    if (isLevelNews) this.#awaitsLevel = false;
    if (isPowerNews) this.power = this.#powerNow();
    const isMemoryNews = this.#takeMemory();
    if (isLoadNews) this.#changed();
    else if (isPowerNews || isMemoryNews) this.watcher?.put(this);
    this.followers?.touched(this.id);
  }

  /** What it says of its temperature is true from now on. */
  feel({ temperatureC, throttled }: Pick<Telemetry, 'temperatureC' | 'throttled'>, nowMs: number): void {
    this.#thermometer.read(temperatureC ?? undefined, throttled === true, nowMs);
    this.heat = this.#thermometer.heat;
  }

  get likeness(): string {
    this.#alikeAt = { bytesPerMs: this.bytesPerMs, rttMs: this.rttMs, decodeMs: this.decodeMs };
    return likenessOf(this, this.#known);
  }

  figures(key: string): Figures {
    return this.#variant(key);
  }

  options(menu: Menu): Options {
    if (this.#lastMenu === menu) return this.#lastOptions;
    this.#options ??= new Map();
    let options = this.#options.get(menu.key);
    if (!options) {
      if (this.#options.size >= mostMenus) this.#options.clear();
      options = optionsOf(this, menu);
      this.#options.set(menu.key, options);
    }
    this.#lastMenu = menu;
    this.#lastOptions = options;
    return options;
  }

  /** An attempt is with the device until {@link drop} with the same share. */
  take({ time, energyJ, loads }: Share): void {
    this.running += 1;
    this.placed += 1;
    this.backlog = sum(this.backlog, time);
    this.#heldJ += energyJ;
    if (loads) {
      this.#variant(loads.key).beginLoad(loads.untilMs);
      this.#changed();
    } else this.watcher?.shift(this);
  }

  drop({ time, energyJ, loads }: Share): void {
    this.running = Math.max(0, this.running - 1);
    // Sums of fractions drift: nothing in hand is nothing to wait for.
    if (this.running === 0) {
      this.backlog = noTime;
      this.#heldJ = 0;
    } else {
      const { meanMs, varianceMs2 } = this.backlog;
      this.backlog = {
        meanMs: Math.max(0, meanMs - time.meanMs),
        varianceMs2: Math.max(0, varianceMs2 - time.varianceMs2),
      };
      this.#heldJ = Math.max(0, this.#heldJ - energyJ);
    }
    this.#spentJ += energyJ;
    if (loads) {
      this.#variant(loads.key).endLoad();
      this.#changed();
    } else this.watcher?.shift(this);
  }

  /**
   * What the cameras that run on it take.
   * @param decodeFactor how much longer decoding takes on it than is assumed.
   * @param models the variants that they run, by their keys.
   */
  setCameras({ load, watts, decode }: CameraShare, decodeFactor: number, models: ReadonlySet<string>): void {
    this.cameraLoad = load;
    this.cameraWatts = watts;
    this.decode = { ...this.decode, taken: decode, factor: decodeFactor };
    this.#inUse = models;
    this.#takeMemory();
    this.watcher?.put(this);
  }

  /** Learns from a run that is over. */
  learn(model: string, variant: string, timings: AttemptTimings, inputBytes: number, nowMs: number): void {
    this.#pauseMs = firstPauseMs;
    const { inferenceMs, decodeMs, transferMs } = timings;
    // Decoding the input is the same work whichever variant runs then, so it must not count against the one that ran.
    this.decodeMs += newestWeight * (decodeMs - this.decodeMs);
    // An input that went along with the offer was not waited for here: the answer to the offer tells of it.
    this.#watched.transferred(inputBytes, transferMs);
    this.#takeLink();
    let isNews = this.#likenessIsOld();
    if (inferenceMs > 0) {
      const known = this.#variant(variantKey(model, variant));
      this.#slowdown ??= new Slowdown();
      this.#slowdown.observe(inferenceMs, known.usualMs ?? inferenceMs, nowMs);
      isNews = known.ran(inferenceMs, nowMs) || isNews;
      this.#hasRun = true;
    }
    if (this.#relax(nowMs) || isNews) this.#changed();
  }

  /** It answered an offer that so many bytes went along with. @param alone nothing else was under way to it. */
  answered(bytes: number, tookMs: number, alone: boolean): void {
    this.#watched.answered(bytes, tookMs, alone);
    this.#takeLink();
    if (this.#likenessIsOld()) this.#changed();
  }

  get #watched(): LinkWatch {
    this.#link ??= new LinkWatch();
    return this.#link;
  }

  get #known(): ReadonlyMap<string, KnownVariant> {
    return this.#variants ?? noVariants;
  }

  #takeLink(): void {
    this.bytesPerMs = this.#link?.bytesPerMs ?? this.bytesPerMs;
    this.rttMs = this.#link?.rttMs ?? this.rttMs;
  }

  /** What no result speaks of any more is forgotten: a slowdown, a model in memory, a pause. */
  relax(nowMs: number): void {
    if (this.#relax(nowMs)) this.#changed();
  }

  /** @returns whether anything became different that placement looks at. */
  #relax(nowMs: number): boolean {
    const factor = this.#slowdown?.factor(nowMs) ?? 1;
    this.#factor = factor;
    let isNews = false;
    for (const variant of this.#known.values()) isNews = variant.relax(factor, nowMs) || isNews;
    if (!this.#pause || this.#pause.untilMs > nowMs) return isNews;
    this.#pause = undefined;
    return true;
  }

  /** What its link and decoding take has moved on since its likeness was made. */
  #likenessIsOld(): boolean {
    const { bytesPerMs, rttMs, decodeMs } = this.#alikeAt;
    return (
      Math.abs(Math.log(this.bytesPerMs / bytesPerMs)) > linkNews ||
      Math.abs(Math.log((1 + this.rttMs) / (1 + rttMs))) > linkNews ||
      Math.abs(this.decodeMs - decodeMs) > decodeNewsMs
    );
  }

  /** The device does not want more for now: it is left alone for a moment, longer each time in a row. */
  pauseFor(reason: string, nowMs: number): number {
    const forMs = this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, forMs * 2);
    this.pause = { untilMs: nowMs + forMs, reason };
    return forMs;
  }

  /** Something of what work takes on it. */
  #changed(): void {
    this.#options?.clear();
    this.#lastMenu = undefined;
    this.watcher?.put(this);
  }

  #takeLoaded(loaded: readonly string[]): void {
    this.#hasRun = false;
    for (const [key, variant] of this.#known) variant.isLoaded = loaded.includes(key);
  }

  #variant(key: string): KnownVariant {
    this.#variants ??= new Map();
    let variant = this.#variants.get(key);
    if (!variant) {
      variant = new KnownVariant(this.#factor);
      variant.expect(this.#said(key), this.#profiles.get(key));
      variant.isLoaded = this.#telemetry?.loadedModels.includes(key) ?? false;
      this.#variants.set(key, variant);
    }
    return variant;
  }

  /** @returns whether that is news to placement. */
  #takeMemory(): boolean {
    const before = memoryStepOf(this.freeBytes);
    this.freeBytes = this.#freeNow();
    return memoryStepOf(this.freeBytes) !== before;
  }

  /** A device that does not know how much memory it has, or is free, says 0. */
  #freeNow(): number {
    const mostBytes = this.record.capability.memoryBytes || Number.POSITIVE_INFINITY;
    const { memoryAvailableBytes = 0, loadedModels = [] } = this.#telemetry ?? {};
    if (memoryAvailableBytes === 0) return mostBytes;
    let freeBytes = memoryAvailableBytes;
    for (const key of loadedModels) if (!this.#inUse.has(key)) freeBytes += this.#known.get(key)?.memoryBytes ?? 0;
    return Math.min(mostBytes, freeBytes);
  }

  #powerNow(): Power {
    const { hasBattery, powerSource, batteryWh, idleWatts } = this.record.capability;
    // What it said before it was away may be hours old.
    const charging = this.#awaitsLevel ? undefined : this.#telemetry?.charging;
    return {
      onBattery: typeof charging === 'boolean' && hasBattery ? !charging : powerSource === 'battery',
      levelPct: this.#levelPct,
      awaitsLevel: this.#awaitsLevel,
      capacityJ: batteryWh === null ? undefined : batteryWh * joulesPerWattHour,
      idleWatts: idleWatts ?? assumedIdleWatts,
      policy: this.record.power ?? noPolicy,
    };
  }

  /** What the device measured, unless others of its kind found something else altogether; what those measured where it has not. */
  #said(key: string): Duration | undefined {
    const profile = this.#profiles.get(key);
    const [model = '', variant = ''] = key.split('/');
    const prior = this.#priors?.find(this.kind, model, variant);
    if (!profile) return prior && { ...prior, varianceMs2: prior.varianceMs2 * priorDoubt };
    const own = fromQuantiles(profile.p50Ms, profile.p95Ms);
    if (!prior) return own;
    const factor = own.meanMs / prior.meanMs;
    return factor > unbelievable || factor < 1 / unbelievable ? prior : own;
  }

  /** @param up the links that reach it now */
  view(up: readonly LinkKind[]): DeviceView {
    const { rttMs, bytesPerMs } = this.#link ?? {};
    const link = { up, ...(rttMs !== undefined && { rttMs }), ...(bytesPerMs !== undefined && { bytesPerMs }) };
    return {
      ...this.record,
      presence: this.presence,
      ...(this.lastSeenMs !== undefined && { lastSeenMs: this.lastSeenMs }),
      ...(this.telemetry && { telemetry: this.telemetry }),
      running: this.running,
      link,
    };
  }
}

function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}
