import type { PlacementRefusal, RefusalReason } from '../domain/index.ts';
import type { FleetSnapshot, Work } from './snapshot.ts';

/** What is said of one device, and of several. */
const words: { readonly [reason in RefusalReason]: readonly [one: string, several: string] } = {
  unreachable: ['is not reachable', 'are not reachable'],
  draining: ['is being drained', 'are being drained'],
  labels: ['does not have the labels', 'do not have the labels'],
  'other-device': ['is not the one that was asked for', 'are not the one that was asked for'],
  'no-engine': ['has no inference runtime that works', 'have no inference runtime that works'],
  'no-accelerator': ['has no GPU, NPU or TPU that works', 'have no GPU, NPU or TPU that works'],
  'no-model': ['does not have the model', 'do not have the model'],
  'no-pipeline': ['does not know the pipeline', 'do not know the pipeline'],
  'too-slow': ['is too slow for the deadline', 'are too slow for the deadline'],
  memory: ['has too little memory for the model', 'have too little memory for the model'],
  battery: ['has to spare its battery', 'have to spare their batteries'],
  busy: ['is busy', 'are busy'],
  hot: ['is too hot', 'are too hot'],
  left: ['had to give it up a moment ago', 'had to give it up a moment ago'],
  declined: ['said that it cannot do this', 'said that they cannot do this'],
  'tried-before': ['did not succeed at it before', 'did not succeed at it before'],
  'decode-budget': ['cannot decode more cameras', 'cannot decode more cameras'],
};

/** Why nothing was found, for a person: the reasons, most frequent first. `considered` may be more than the refusals that were kept. */
export function refusalSummary(
  refused: readonly PlacementRefusal[],
  considered: number,
  fleet: FleetSnapshot,
  { device }: Work,
): string {
  if (fleet.size === 0) return 'no device has joined';
  if (device !== undefined) {
    const name = fleet.device(device)?.name;
    if (name === undefined) return `${device}, the device that was asked for, is not in this fleet`;
    const [own] = refused;
    if (own) return `${name}, the device that was asked for, cannot take it now: it ${words[own.reason][0]}`;
  }
  const counts = new Map<RefusalReason, number>();
  for (const { reason } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} ${words[reason][count === 1 ? 0 : 1]}`);
  const some = considered > refused.length ? 'among others, ' : '';
  return `no device can take it now: ${some}${reasons.join(', ')}`;
}
