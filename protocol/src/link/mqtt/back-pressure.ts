import type { Duplex } from 'node:stream';
import { ShoalError } from '../../errors/index.ts';

/** @throws `queue.full` when what waits in the stream and this together are too much. Where nothing waits, anything is taken. */
export function requireRoom(stream: Duplex, sizeBytes: number, maxBufferedBytes: number): void {
  const waitingBytes = stream.writableLength;
  if (waitingBytes > 0 && waitingBytes + sizeBytes > maxBufferedBytes) {
    throw new ShoalError('queue.full', 'the other end reads too slowly', { waitingBytes });
  }
}

/**
 * Resolves when the stream has handed on all that was written.
 * @throws `net.unreachable` when it closes before; the signal's reason.
 */
export function drained(stream: Duplex, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      stream.off('drain', onDrain);
      stream.off('close', onClose);
      signal?.removeEventListener('abort', onAbort);
      settled();
    };
    const onDrain = () => settle(resolve);
    const onClose = () => settle(() => reject(new ShoalError('net.unreachable', 'the connection ended')));
    const onAbort = () => settle(() => reject(signal?.reason));
    if (stream.destroyed) {
      reject(new ShoalError('net.unreachable', 'the connection has ended'));
      return;
    }
    stream.on('drain', onDrain);
    stream.on('close', onClose);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
