import {
  type AttemptTimings,
  type Capability,
  decodeLevelOf,
  type Telemetry,
  type VariantProfile,
} from '@shoal/protocol';

/**
 * The one door for what a device says about itself: it is signed, but it may still be wrong. Texts become short and printable, numbers finite and
 * within reason, lists short; what makes no sense is left out. The results are plain objects, safe to keep as JSON.
 */

const longestText = 200;
const longestList = 64;
export const mostProfiles = 512;
const mostCameras = 1_000;
const mostLinks = 8;
/** A day: nothing that is measured here takes longer, ms. */
const longestMs = 86_400_000;
const mostBytes = 2 ** 50;
const mostWattHours = 1e6;
const mostWatts = 1e5;
/** Of very many devices most lists are empty: all of them are this one. */
const nothing: readonly never[] = [];

export function sanitiseCapability(said: Capability | null): Capability {
  return {
    hostName: text(said?.hostName),
    software: text(said?.software),
    platform: text(said?.platform),
    arch: text(said?.arch),
    board: text(said?.board),
    cpuModel: text(said?.cpuModel),
    cores: whole(said?.cores, 0, 4_096),
    cpuFeatures: texts(said?.cpuFeatures, 4 * longestList),
    memoryBytes: whole(said?.memoryBytes, 0, mostBytes),
    diskFreeBytes: whole(said?.diskFreeBytes, 0, mostBytes),
    accelerators: eachOf(said?.accelerators, longestList, ({ kind, vendor, name, memoryBytes }) => ({
      kind: text(kind),
      vendor: text(vendor),
      name: text(name),
      memoryBytes: whole(memoryBytes, 0, mostBytes),
    })),
    powerSource: said?.powerSource === 'mains' || said?.powerSource === 'battery' ? said.powerSource : 'unknown',
    hasBattery: said?.hasBattery === true,
    runtimes: texts(said?.runtimes),
    decoders: texts(said?.decoders),
    taskSlots: whole(said?.taskSlots, 1, 1_024),
    container: said?.container === true,
    phone: said?.phone === true,
    batteryWh: positive(said?.batteryWh, mostWattHours),
    idleWatts: positive(said?.idleWatts, mostWatts),
  };
}

/** Profiles that make sense, the last one of each variant. */
export function sanitiseProfiles(said: readonly VariantProfile[]): readonly VariantProfile[] {
  const byVariant = new Map<string, VariantProfile>();
  for (const profile of said.slice(0, mostProfiles)) {
    const { model, variant, sha256, p50Ms } = profile;
    if (!isName(model) || !isName(variant) || sha256.length !== 32 || !(p50Ms > 0 && p50Ms <= longestMs)) continue;
    byVariant.set(`${model}/${variant}`, {
      model,
      variant,
      sha256: Uint8Array.from(sha256),
      engine: text(profile.engine),
      p50Ms,
      p95Ms: Math.max(p50Ms, number(profile.p95Ms, 0, longestMs)),
      loadMs: number(profile.loadMs, 0, longestMs),
      memoryBytes: whole(profile.memoryBytes, 0, mostBytes),
      energyMj: profile.energyMj === null ? null : number(profile.energyMj, 0, 1e9),
      samples: whole(profile.samples, 0, 1e9),
      confidence: number(profile.confidence, 0, 1),
      measuredAtMs: whole(profile.measuredAtMs, 0, Number.MAX_SAFE_INTEGER),
    });
  }
  return byVariant.size === 0 ? nothing : [...byVariant.values()];
}

export function sanitiseTelemetry(said: Telemetry): Telemetry {
  return {
    batteryPct: orNull(said.batteryPct, 0, 100),
    charging: typeof said.charging === 'boolean' ? said.charging : null,
    temperatureC: orNull(said.temperatureC, -100, 200),
    throttled: typeof said.throttled === 'boolean' ? said.throttled : null,
    cpuLoad: number(said.cpuLoad, 0, 1),
    memoryAvailableBytes: whole(said.memoryAvailableBytes, 0, mostBytes),
    running: whole(said.running, 0, 1e6),
    queued: whole(said.queued, 0, 1e6),
    outbox: whole(said.outbox, 0, 1e9),
    cameras: eachOf(said.cameras, mostCameras, (camera) => ({
      cameraId: text(camera.cameraId),
      state: text(camera.state),
      reason: text(camera.reason),
      fps: number(camera.fps, 0, 1_000),
      frames: whole(camera.frames, 0, Number.MAX_SAFE_INTEGER),
      dropped: whole(camera.dropped, 0, Number.MAX_SAFE_INTEGER),
      latencyP50Ms: number(camera.latencyP50Ms, 0, longestMs),
      latencyP95Ms: number(camera.latencyP95Ms, 0, longestMs),
      restarts: whole(camera.restarts, 0, 1e9),
      decode: decodeLevelOf(camera.decode) ?? 'full',
      seenFps: number(camera.seenFps, 0, 1_000),
      sourceFps: number(camera.sourceFps, 0, 1_000),
      sourceWidth: whole(camera.sourceWidth, 0, 100_000),
      sourceHeight: whole(camera.sourceHeight, 0, 100_000),
      decodeCores: number(camera.decodeCores, 0, 4_096),
    })),
    loadedModels: texts(said.loadedModels),
    links: eachOf(said.links, mostLinks, ({ kind, up, inUse, rttMs, loss }) => ({
      kind: text(kind),
      up: up === true,
      inUse: inUse === true,
      rttMs: orNull(rttMs, 0, longestMs),
      loss: number(loss, 0, 1),
    })),
  };
}

export function sanitiseTimings(said: AttemptTimings): AttemptTimings {
  return {
    queuedMs: number(said.queuedMs, 0, longestMs),
    transferMs: number(said.transferMs, 0, longestMs),
    loadMs: number(said.loadMs, 0, longestMs),
    decodeMs: number(said.decodeMs, 0, longestMs),
    inferenceMs: number(said.inferenceMs, 0, longestMs),
    totalMs: number(said.totalMs, 0, longestMs),
  };
}

/** A peer's text: short, and without what could upset a terminal or a page. */
export function text(said: string | undefined, most = longestText): string {
  return (said ?? '')
    .slice(0, most)
    .replace(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu, ' ')
    .trim();
}

function texts(said: readonly string[] | undefined, most = longestList): readonly string[] {
  return eachOf(said, most, (each) => text(each));
}

function eachOf<Said, Each>(
  said: readonly Said[] | undefined,
  most: number,
  of: (each: Said) => Each,
): readonly Each[] {
  return said === undefined || said.length === 0 ? nothing : said.slice(0, most).map((each) => of(each));
}

/** `null`: not known. */
function positive(said: number | null | undefined, most: number): number | null {
  return typeof said === 'number' && said > 0 ? Math.min(most, said) : null;
}

/** Clamped; what is no number becomes `least`. */
function number(said: number | null | undefined, least: number, most: number): number {
  return typeof said === 'number' && !Number.isNaN(said) ? Math.min(most, Math.max(least, said)) : least;
}

function whole(said: number | undefined, least: number, most: number): number {
  return Math.trunc(number(said, least, most));
}

function orNull(said: number | null, least: number, most: number): number | null {
  return said === null || !Number.isFinite(said) ? null : number(said, least, most);
}

function isName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,99}$/.test(name);
}
