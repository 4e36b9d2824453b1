import type { Camera } from '../../http/index.ts';

/** Why a camera shows nothing: empty while it runs or is about to. */
export function cameraTrouble({ name, device, status, reason }: Camera): string {
  if (device === undefined) return `${name} waits for a device: ${reason}`;
  if (status === undefined || status.state === 'running' || status.reason === '') return '';
  return `${name} is ${status.state}: ${status.reason}`;
}
