import type { Camera } from './types.ts';

export interface Trouble {
  readonly word: string;
  readonly reason: string;
}

/** Why a camera shows nothing now; `undefined` while it runs. */
export function troubleOf({ device, reason, status, refused, paused }: Camera): Trouble | undefined {
  if (paused) return { word: 'Paused', reason: '' };
  if (device === undefined) {
    const [refusal] = refused;
    return { word: 'Waits for a device', reason: refusal ? refusal.detail : reason };
  }
  if (status === undefined) return { word: 'Starting', reason: '' };
  switch (status.state) {
    case 'running':
      return undefined;
    case 'connecting':
      return { word: 'Connecting', reason: status.reason };
    case 'failed':
      return { word: 'Not running', reason: status.reason };
    default:
      return { word: 'Waiting', reason: status.reason };
  }
}
