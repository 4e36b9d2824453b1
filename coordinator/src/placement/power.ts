import type { ChargingWindow, PowerPolicy } from '../domain/index.ts';

/** What a device runs on, and what its owner allows. */
export interface Power {
  /** Draws on its battery right now. */
  readonly onBattery: boolean;
  /** 0..100; `undefined` without a battery, or when it did not say. */
  readonly levelPct: number | undefined;
  /** It was away, and has not said since how full its battery is: what it said before may be hours old. */
  readonly awaitsLevel?: boolean;
  /** A full battery, joules; `undefined`: not known. */
  readonly capacityJ: number | undefined;
  /** What it draws whether it works or not, watts. */
  readonly idleWatts: number;
  readonly policy: PowerPolicy;
}

/** A battery of unknown size is taken for a phone's, joules. */
const unknownCapacityJ = 40_000;
/** A joule is never dearer than this many of the mains. */
const dearest = 20;
const minuteMs = 60_000;
const dayMinutes = 1_440;

/**
 * What a joule costs on this device, in joules of the mains: one there, less while the sun or a charger brings more than is drawn, more and more as a
 * battery nears its floor.
 */
export function energyPrice(power: Power, floorPct: number, whileCharging: number): number {
  if (!power.onBattery) return power.levelPct === undefined ? 1 : whileCharging;
  if (power.levelPct === undefined) return dearest / 2;
  const left = (power.levelPct - floorPct) / Math.max(1, 100 - floorPct);
  if (left <= 0) return dearest;
  return Math.min(dearest, 1 / Math.min(1, left));
}

/**
 * The level of the battery when the device has drawn `extraJ` for its work over `durationMs`, besides what it draws anyway, and was charged as its
 * windows say. Percent; may be negative. `undefined`: nothing is known of its level.
 */
export function projectedLevelPct(power: Power, extraJ: number, durationMs: number, nowMs: number): number | undefined {
  const { levelPct, capacityJ = unknownCapacityJ, idleWatts, policy } = power;
  if (levelPct === undefined) return undefined;
  const drawnJ = extraJ + (idleWatts * durationMs) / 1_000;
  const chargedJ = policy.charging ? chargeJ(policy.charging, nowMs, durationMs) : 0;
  return Math.min(100, levelPct + ((chargedJ - drawnJ) / capacityJ) * 100);
}

/** What the windows bring from now on, joules. */
function chargeJ(windows: readonly ChargingWindow[], nowMs: number, durationMs: number): number {
  let joules = 0;
  for (const window of windows) joules += window.watts * (openMs(window, nowMs, durationMs) / 1_000);
  return joules;
}

/** How long a window is open within the time from now on, ms. */
function openMs({ fromMinute, toMinute }: ChargingWindow, nowMs: number, durationMs: number): number {
  const dayMs = dayMinutes * minuteMs;
  const lengthMs = ((toMinute - fromMinute + dayMinutes) % dayMinutes) * minuteMs;
  const endMs = nowMs + durationMs;
  let open = 0;
  // The window that began the day before may still be open.
  const firstDay = Math.floor(nowMs / dayMs) - 1;
  for (let start = firstDay * dayMs + fromMinute * minuteMs; start < endMs; start += dayMs)
    open += Math.max(0, Math.min(endMs, start + lengthMs) - Math.max(nowMs, start));
  return open;
}
