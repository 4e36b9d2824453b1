import { bytesText } from './format.ts';
import type { Device } from './types.ts';

/** `Raspberry Pi 5, 4 cores, 8.0 GB, Hailo-8L` */
export function machineText({ capability }: Device): string {
  const { board, cpuModel, cores, memoryBytes, accelerators } = capability;
  const parts = [board || cpuModel || 'unknown machine', `${cores} cores`, bytesText(memoryBytes)];
  return [...parts, ...accelerators.map(({ name }) => name)].join(', ');
}

export interface Standing {
  readonly word: string;
  readonly tone: 'good' | 'warn' | 'bad';
}

export function standingOf({ presence, revoked, pending, draining, telemetry }: Device): Standing {
  if (revoked) return { word: pending ? 'rejected' : 'revoked', tone: 'bad' };
  if (pending) return { word: 'waits for approval', tone: 'warn' };
  if (presence !== 'online') return { word: presence, tone: presence === 'offline' ? 'bad' : 'warn' };
  if (draining) return { word: 'draining', tone: 'warn' };
  if (telemetry?.throttled) return { word: 'throttled', tone: 'warn' };
  return { word: 'online', tone: 'good' };
}
