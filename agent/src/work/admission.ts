import type { Condition } from '../machine/index.ts';

/** Why a device does not take a piece of work. The coordinator places it elsewhere. */
export type RefusalReason = 'busy' | 'battery' | 'hot' | 'no-model' | 'no-pipeline' | 'draining';

export interface AdmissionLimits {
  /** Battery level below which no work is taken unless the battery charges, percent. */
  readonly batteryFloorPct: number;
  /** Temperature from which no work is taken, degrees Celsius. */
  readonly hotC: number;
  /** Tasks that wait for their turn. */
  readonly queueLimit: number;
  /** Bytes of inputs that are held for tasks. */
  readonly inputBytesLimit: number;
}

export const defaultAdmissionLimits: AdmissionLimits = {
  batteryFloorPct: 20,
  hotC: 90,
  queueLimit: 512,
  inputBytesLimit: 128 * 1024 * 1024,
};

/** All that the decision looks at. */
export interface AdmissionState {
  readonly draining: boolean;
  readonly pipelineKnown: boolean;
  /** The pipeline needs no model, or the one it needs is known here. */
  readonly modelKnown: boolean;
  /** `undefined` before the first look, a moment after the start. */
  readonly condition: Condition | undefined;
  readonly queued: number;
  readonly inputBytes: number;
  /** How long the work would take to be done, ms: those before it and itself; `undefined` when nothing was measured yet. */
  readonly expectedMs: number | undefined;
  /** Time to the deadline, ms; 0 for none. */
  readonly timeLeftMs: number;
}

/** The device has the last word: why it does not take the work, or `undefined` when it does. */
export function refusalOf(state: AdmissionState, limits: AdmissionLimits): RefusalReason | undefined {
  if (state.draining) return 'draining';
  if (!state.pipelineKnown) return 'no-pipeline';
  if (!state.modelKnown) return 'no-model';
  const { condition } = state;
  // A coordinator that did not notice a restart may offer before the device knows how full its battery is.
  if (condition === undefined) return 'busy';
  const onBattery = condition.batteryPct !== undefined && condition.charging !== true;
  if (onBattery && (condition.batteryPct ?? 100) < limits.batteryFloorPct) return 'battery';
  // A device that the firmware slows down already is noticed by its times; it is not refused.
  if ((condition.temperatureC ?? 0) >= limits.hotC) return 'hot';
  if (state.queued >= limits.queueLimit || state.inputBytes > limits.inputBytesLimit) return 'busy';
  const tooLate = state.timeLeftMs > 0 && state.expectedMs !== undefined && state.expectedMs > state.timeLeftMs;
  // Only because others are before it: work that is too much for the device alone is the coordinator's mistake or its last resort.
  return tooLate && state.queued > 0 ? 'busy' : undefined;
}
