import type { Figures } from '../choice.ts';
import type { DeviceSnapshot } from '../snapshot.ts';

/** Steps within which devices are taken for alike; each is a factor. */
const runStep = Math.log(1.05);
const energyStep = Math.log(1.02);
const linkStep = Math.log(1.25);
/** Absolute ones. */
const decodeStepMs = 5;
const cameraStep = 0.05;
/** Where there is more memory than this, how much does not matter, bytes; below, each step is a factor. */
const ampleBytes = 2e9;
const memoryStep = Math.log(1.25);

type Traits = Pick<
  DeviceSnapshot,
  'kind' | 'slots' | 'accelerated' | 'power' | 'bytesPerMs' | 'rttMs' | 'decodeMs' | 'cameraLoad' | 'freeBytes'
>;

/**
 * What work costs on a device, but for what it has in hand, as a text: the same for devices that may stand for each other. Of all variants
 * the quickest and the most frugal speak for the others: what small work goes to, and what one device does better than another of its kind.
 * @param variants what is known of the variants that the device can run, by their keys.
 */
export function likenessOf(device: Traits, variants: Iterable<readonly [key: string, figures: Figures]>): string {
  const { kind, slots, accelerated, power, bytesPerMs, rttMs, decodeMs, cameraLoad, freeBytes } = device;
  const loaded: string[] = [];
  let measured = 0;
  let leastMs = Number.POSITIVE_INFINITY;
  let leastJ = Number.POSITIVE_INFINITY;
  for (const [key, { run, energyJ, loadedUntilMs, loadingUntilMs }] of variants) {
    if (run) measured += 1;
    leastMs = Math.min(leastMs, run?.meanMs ?? leastMs);
    leastJ = Math.min(leastJ, energyJ ?? leastJ);
    if (loadedUntilMs > 0) loaded.push(key);
    else if (loadingUntilMs !== undefined) loaded.push(`${key} soon`);
  }
  const link = `${step(bytesPerMs, linkStep)} ${step(1 + rttMs, linkStep)}`;
  const taken = `${Math.round(decodeMs / decodeStepMs)} ${Math.round(cameraLoad / cameraStep)} ${memoryStepOf(freeBytes)}`;
  const figures = `${measured} ${step(leastMs, runStep)} ${step(leastJ, energyStep)}`;
  return `${kind}|${slots} ${accelerated}|${likePower(power)}|${link}|${taken}|${figures}|${loaded.sort().join(' ')}`;
}

/** Devices with so much memory are alike in that. */
export function memoryStepOf(freeBytes: number): number {
  return step(Math.min(ampleBytes, Math.max(1, freeBytes)), memoryStep);
}

/** Floors are whole numbers as a rule: those at the floor are told from those above it. */
function likePower({ onBattery, awaitsLevel, levelPct, policy }: DeviceSnapshot['power']): string {
  if (!onBattery) return levelPct === undefined ? 'mains' : 'charging';
  if (awaitsLevel) return 'awaited';
  const level = levelPct === undefined ? '?' : Math.ceil(levelPct);
  return `${level} ${policy.floorPct ?? '?'} ${policy.mainsOnly === true}`;
}

function step(value: number, width: number): number {
  return Math.round(Math.log(Math.max(1e-9, value)) / width);
}
