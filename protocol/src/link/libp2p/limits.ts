import type { BackoffOptions } from '../../runtime/index.ts';

export interface Libp2pLimits {
  readonly maxFrameBytes: number;
  /** Bytes that may wait for one peer before `send` refuses with `queue.full`. */
  readonly maxBufferedBytes: number;
  /** A peer that has not read a frame after this long is cut, ms. */
  readonly slowReaderMs: number;
  /** Until a connection and its stream are open, ms. */
  readonly dialTimeoutMs: number;
  readonly backoff: BackoffOptions;
  /** A stream that held this long starts the backoff anew, ms. */
  readonly stableMs: number;
  /** Longest wait for a tidy goodbye, ms. */
  readonly closeGraceMs: number;
  /** A connection is asked for a sign of life this often, ms. */
  readonly pingMs: number;
  /** How often is asked who is on this network, ms. */
  readonly mdnsMs: number;
  readonly maxConnections: number;
  /** Streams that one peer may have open to us. */
  readonly maxStreamsPerConnection: number;
  /** Connections that have not said yet who they are; in all, and from one address. */
  readonly maxHandshakes: number;
  readonly maxHandshakesPerHost: number;
  readonly handshakeTimeoutMs: number;
  /** New connections from one address in one second. */
  readonly newConnectionsPerHost: number;
  /** Connections of peers that have not joined; in all, and from one address. */
  readonly maxStrangers: number;
  readonly maxStrangersPerHost: number;
  /** Until a stranger has joined, ms. */
  readonly strangerGraceMs: number;
  /** The largest frame of a stranger, and what it may send in all, bytes. */
  readonly strangerFrameBytes: number;
  readonly strangerBytes: number;
  /** What one relayed connection may carry, and for how long. */
  readonly relayedBytes: bigint;
  readonly relayedMs: number;
  readonly maxReservations: number;
  readonly maxAdvertBytes: number;
}

export const defaultLibp2pLimits: Libp2pLimits = {
  maxFrameBytes: 1 << 20,
  maxBufferedBytes: 4 << 20,
  slowReaderMs: 60_000,
  dialTimeoutMs: 10_000,
  backoff: { firstMs: 200, maxMs: 15_000, factor: 2 },
  stableMs: 5_000,
  closeGraceMs: 1_000,
  pingMs: 10_000,
  mdnsMs: 10_000,
  maxConnections: 10_000,
  maxStreamsPerConnection: 64,
  maxHandshakes: 256,
  maxHandshakesPerHost: 64,
  handshakeTimeoutMs: 5_000,
  newConnectionsPerHost: 100,
  maxStrangers: 256,
  maxStrangersPerHost: 64,
  strangerGraceMs: 30_000,
  strangerFrameBytes: 64 << 10,
  strangerBytes: 256 << 10,
  relayedBytes: 1n << 28n,
  relayedMs: 600_000,
  maxReservations: 10_000,
  maxAdvertBytes: 16 << 10,
};
