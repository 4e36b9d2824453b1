import { ApiError, call, whenSignedOut, wordsOf } from './api.ts';
import { remember } from './history.svelte.ts';
import type { Camera, Device, List } from './types.ts';

/** What the whole page stands on, asked for again and again while somebody looks. */
const everyMs = 2_000;

let cameras = $state.raw<readonly Camera[] | undefined>();
let devices = $state.raw<readonly Device[] | undefined>();
let signedIn = $state<'unknown' | 'no' | 'session' | 'loopback'>('unknown');
let trouble = $state<string | undefined>();
let nowMs = $state(Date.now());

export const world = {
  get cameras() {
    return cameras;
  },
  get devices() {
    return devices;
  },
  get signedIn() {
    return signedIn;
  },
  /** Why the page is not up to date; `undefined` while it is. */
  get trouble() {
    return trouble;
  },
  /** Of this machine, moving on every few seconds. */
  get nowMs() {
    return nowMs;
  },
};

export function camera(id: string): Camera | undefined {
  return cameras?.find((one) => one.id === id);
}

export function device(id: string | undefined): Device | undefined {
  return devices?.find((one) => one.id === id);
}

/** What a person calls it. */
export function deviceName(id: string | undefined): string {
  return device(id)?.name ?? id ?? 'no device';
}

export function cameraName(id: string): string {
  return camera(id)?.name ?? id;
}

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<void> | undefined;

/** Asks now rather than in two seconds: something was changed. */
export function refresh(): Promise<void> {
  asking ??= ask().finally(() => {
    asking = undefined;
    clearTimeout(timer);
    if (signedIn !== 'no' && !document.hidden) timer = setTimeout(() => void refresh(), everyMs);
  });
  return asking;
}

async function ask(): Promise<void> {
  try {
    if (signedIn === 'unknown' || signedIn === 'no') {
      const { by } = await call<{ by: 'session' | 'loopback' | 'key' | 'nothing' }>('GET', '/v1/session');
      if (by === 'nothing') {
        signedIn = 'no';
        return;
      }
      signedIn = by === 'loopback' ? 'loopback' : 'session';
    }
    const [watched, fleet] = await Promise.all([
      call<List<Camera>>('GET', '/v1/cameras'),
      call<List<Device>>('GET', '/v1/devices'),
    ]);
    cameras = watched.items;
    devices = fleet.items;
    trouble = undefined;
    nowMs = Date.now();
    remember(fleet.items, nowMs);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) trouble = wordsOf(error);
  }
}

export async function signIn(key: string): Promise<void> {
  await call('POST', '/v1/session', { key });
  signedIn = 'unknown';
  await refresh();
}

export async function signOut(): Promise<void> {
  await call('DELETE', '/v1/session');
  signedIn = 'no';
}

whenSignedOut(() => {
  signedIn = 'no';
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});

void refresh();
