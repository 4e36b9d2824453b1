import type { Analysis } from './analysis.ts';
import { call, request } from './api.ts';
import { PartReader } from './parts.ts';

/** A picture of a camera with what was seen on it. */
export interface Shot {
  readonly camera: string;
  readonly device: string;
  readonly capturedAt: string;
  /** Since its capture, when it left the coordinator, ms. */
  readonly ageMs: number;
  readonly number?: number;
  readonly analysis?: Analysis;
  readonly jpeg: Uint8Array<ArrayBuffer>;
  /** On this page's clock. */
  readonly arrivedMs: number;
}

type Watcher = (shot: Shot) => void;

const firstPauseMs = 500;
const longestPauseMs = 5_000;
const tripEveryMs = 10_000;

let state = $state<'idle' | 'connecting' | 'live' | 'lost'>('idle');
/** Half of the quickest way there and back that was seen lately, ms. */
let wayMs = 0;

export const liveState = {
  get word() {
    return state;
  },
};

const watchers = new Map<string, Set<Watcher>>();
let running: AbortController | undefined;
let changing = false;

/** Follows a camera's pictures until the returned function is called. All cameras that are followed share one connection. */
export function watchCamera(camera: string, watcher: Watcher): () => void {
  const all = watchers.get(camera) ?? new Set();
  watchers.set(camera, all.add(watcher));
  if (all.size === 1) change();
  return () => {
    all.delete(watcher);
    if (all.size > 0 || watchers.get(camera) !== all) return;
    watchers.delete(camera);
    change();
  };
}

/** Cameras that are followed. */
export function watchedCameras(): number {
  return watchers.size;
}

/** From capture to this very moment, ms, without comparing two clocks. */
export function latencyMs(shot: Shot): number {
  return shot.ageMs + wayMs + performance.now() - shot.arrivedMs;
}

document.addEventListener('visibilitychange', change);

/** Once for all changes of one turn: a page that opens watches many at once. */
function change(): void {
  if (changing) return;
  changing = true;
  setTimeout(() => {
    changing = false;
    running?.abort();
    running = undefined;
    const cameras = [...watchers.keys()];
    // Who does not look costs nothing.
    if (cameras.length === 0 || document.hidden) {
      state = 'idle';
      return;
    }
    running = new AbortController();
    void follow(cameras, running.signal);
  }, 0);
}

async function follow(cameras: readonly string[], signal: AbortSignal): Promise<void> {
  const trips = setInterval(() => void measureTrip(), tripEveryMs);
  signal.addEventListener('abort', () => clearInterval(trips), { once: true });
  void measureTrip();
  state = 'connecting';
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      await readPictures(cameras, signal, () => {
        pauseMs = firstPauseMs;
      });
    } catch {
      // Its reason is shown where the list of cameras is asked for.
    }
    if (signal.aborted) return;
    state = 'lost';
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function readPictures(cameras: readonly string[], signal: AbortSignal, arrived: () => void): Promise<void> {
  const response = await request('GET', `/v1/live?cameras=${cameras.map(encodeURIComponent).join(',')}`, { signal });
  if (!response.body) return;
  state = 'live';
  const parts = new PartReader();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let said: Omit<Shot, 'jpeg' | 'arrivedMs'> | undefined;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    arrived();
    for (const { mediaType, body } of parts.push(value)) {
      if (mediaType === 'application/json') said = JSON.parse(decoder.decode(body));
      else if (said) deliver({ ...said, jpeg: body, arrivedMs: performance.now() });
    }
  }
}

function deliver(shot: Shot): void {
  for (const watcher of watchers.get(shot.camera) ?? []) watcher(shot);
}

async function measureTrip(): Promise<void> {
  const sinceMs = performance.now();
  await call('GET', '/v1/version').catch(() => {});
  const tookMs = (performance.now() - sinceMs) / 2;
  // The quickest of the last ones, forgotten little by little: a way that has become longer shows.
  wayMs = wayMs === 0 ? tookMs : Math.min(tookMs, wayMs * 1.2);
}
