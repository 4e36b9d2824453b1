import { identityFromSeed } from '@shoal/protocol';

/** Always the same ones, so that a failure shows the same ids every time. */
export const aDevice = identityFromSeed('device', new Uint8Array(32).fill(1));
export const anotherDevice = identityFromSeed('device', new Uint8Array(32).fill(2));
export const aCoordinator = identityFromSeed('coordinator', new Uint8Array(32).fill(3));
export const anotherCoordinator = identityFromSeed('coordinator', new Uint8Array(32).fill(4));
