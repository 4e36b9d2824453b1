import type { Duplex } from 'node:stream';
import { drained, requireRoom } from './back-pressure.ts';

/** Payloads up to this size are copied behind their header: one small write is faster than a gathered one. */
const copyUpToBytes = 8 * 1024;

export interface WriteOptions {
  /** Bytes that may wait in the socket before a frame is refused. A single frame may exceed it when nothing waits. */
  readonly maxBufferedBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a packet: for a broker, which holds the socket itself. Resolves when the socket has room again: that is the back-pressure.
 * @throws `queue.full` when too much waits already (nothing was written then); `net.unreachable` when the connection ends while waiting; the
 * signal's reason.
 */
export async function writeFrame(
  socket: Duplex,
  header: Buffer,
  payload: Uint8Array,
  options: WriteOptions,
): Promise<void> {
  requireRoom(socket, header.length + payload.length, options.maxBufferedBytes);
  if (!writePacket(socket, header, payload)) await drained(socket, options.signal);
}

function writePacket(socket: Duplex, header: Buffer, payload: Uint8Array): boolean {
  if (payload.length <= copyUpToBytes) return socket.write(Buffer.concat([header, payload]));
  socket.cork();
  socket.write(header);
  const room = socket.write(payload);
  socket.uncork();
  return room;
}
