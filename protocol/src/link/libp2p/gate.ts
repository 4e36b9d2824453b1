import type { Connection, ConnectionGater, PeerId as Libp2pPeerId, MultiaddrConnection } from '@libp2p/interface';
import { ShoalError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { Libp2pLimits } from './limits.ts';

export interface GateDeps {
  readonly clock: Clock;
  /** Whether a peer belongs to the fleet, asked anew each time. */
  isMember(peer: Libp2pPeerId): boolean;
  readonly limits: Libp2pLimits;
}

interface Stranger {
  readonly host: string;
  readonly connection: Connection;
  bytes: number;
  cancelGrace(): void;
}

/**
 * Who may connect, and how much of this node somebody gets who has not joined: a few connections in all and from one address, some frames, and
 * half a minute to join. A device is limited by nothing here once it has.
 */
export class Gate implements ConnectionGater {
  readonly #deps: GateDeps;
  /** Connections whose peer has not said yet who it is, by the address that they come from. */
  readonly #handshakes = new Tally();
  readonly #strangersFrom = new Tally();
  readonly #strangers = new Map<string, Stranger>();
  readonly #hopeful = new Map<string, Set<() => void>>();

  constructor(deps: GateDeps) {
    this.#deps = deps;
  }

  get counts(): { readonly handshakes: number; readonly strangers: number } {
    return { handshakes: this.#handshakes.total, strangers: this.#strangers.size };
  }

  denyInboundConnection = (connection: MultiaddrConnection): boolean => {
    const { maxHandshakes, maxHandshakesPerHost } = this.#deps.limits;
    const host = hostOf(connection);
    if (this.#handshakes.total >= maxHandshakes || this.#handshakes.of(host) >= maxHandshakesPerHost) return true;
    this.#handshakes.add(host);
    let isCounted = true;
    const over = () => {
      if (isCounted) this.#handshakes.remove(host);
      isCounted = false;
    };
    this.#over.set(connection, over);
    connection.addEventListener('close', over, { once: true });
    return false;
  };

  readonly #over = new WeakMap<MultiaddrConnection, () => void>();

  denyInboundUpgradedConnection = (peer: Libp2pPeerId, connection: MultiaddrConnection): boolean => {
    this.#over.get(connection)?.();
    if (this.#deps.isMember(peer)) return false;
    const { maxStrangers, maxStrangersPerHost } = this.#deps.limits;
    return this.#strangers.size >= maxStrangers || this.#strangersFrom.of(hostOf(connection)) >= maxStrangersPerHost;
  };

  /** A device that joins now asks for its place at the relay before its hello was answered: it is waited for as long as a hello may take. */
  denyInboundRelayReservation = async (source: Libp2pPeerId): Promise<boolean> => !(await this.#becomesMember(source));

  denyOutboundRelayedConnection = (source: Libp2pPeerId, destination: Libp2pPeerId): boolean =>
    !this.#deps.isMember(source) || !this.#deps.isMember(destination);

  opened(connection: Connection): void {
    if (connection.direction !== 'inbound' || this.#deps.isMember(connection.remotePeer)) return;
    const host = hostOf(connection);
    this.#strangersFrom.add(host);
    const { clock, limits } = this.#deps;
    const cancelGrace = clock.after('libp2p: a stranger', limits.strangerGraceMs, () => {
      if (!this.#deps.isMember(connection.remotePeer))
        cut(connection, `it did not join in ${limits.strangerGraceMs} ms`);
    });
    this.#strangers.set(connection.id, { host, connection, bytes: 0, cancelGrace });
  }

  /** Returns whether whose connection it was has never joined: nothing need be remembered of it. */
  closed(connection: Connection): boolean {
    this.#forget(connection.id);
    return !this.#deps.isMember(connection.remotePeer);
  }

  /** The largest frame that a peer may send now. */
  maxFrameBytes(peer: Libp2pPeerId): number {
    const { maxFrameBytes, strangerFrameBytes } = this.#deps.limits;
    return this.#deps.isMember(peer) ? maxFrameBytes : strangerFrameBytes;
  }

  /** Counts what a stranger has sent. @throws `queue.full` when that was too much. */
  spend(connection: Connection, sizeBytes: number): void {
    const stranger = this.#strangers.get(connection.id);
    if (!stranger || this.#deps.isMember(connection.remotePeer)) return;
    stranger.bytes += sizeBytes;
    const { strangerBytes } = this.#deps.limits;
    if (stranger.bytes <= strangerBytes) return;
    cut(connection, `it sent more than ${strangerBytes} bytes and has not joined`);
    throw new ShoalError('queue.full', `who has not joined may send ${strangerBytes} bytes`);
  }

  /** To be called when something was said to a peer: it may have been its welcome. */
  heard(peer: Libp2pPeerId): void {
    const hopeful = this.#hopeful.get(peer.toString());
    if (hopeful === undefined && this.#strangers.size === 0) return;
    if (!this.#deps.isMember(peer)) return;
    for (const tell of hopeful ?? []) tell();
    for (const { connection } of this.#strangers.values()) {
      if (connection.remotePeer.equals(peer)) this.#forget(connection.id);
    }
  }

  #becomesMember(peer: Libp2pPeerId): Promise<boolean> {
    if (this.#deps.isMember(peer)) return Promise.resolve(true);
    const { clock, limits } = this.#deps;
    const key = peer.toString();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = this.#hopeful.get(key) ?? new Set();
    const settle = () => {
      cancel();
      waiting.delete(settle);
      if (waiting.size === 0) this.#hopeful.delete(key);
      resolve(this.#deps.isMember(peer));
    };
    const cancel = clock.after('libp2p: who asks for a relay joins', limits.handshakeTimeoutMs, settle);
    waiting.add(settle);
    this.#hopeful.set(key, waiting);
    return promise;
  }

  #forget(id: string): void {
    const stranger = this.#strangers.get(id);
    if (!stranger) return;
    stranger.cancelGrace();
    this.#strangersFrom.remove(stranger.host);
    this.#strangers.delete(id);
  }

  stop(): void {
    for (const id of [...this.#strangers.keys()]) this.#forget(id);
    for (const waiting of [...this.#hopeful.values()]) for (const tell of [...waiting]) tell();
  }
}

/** How many there are of each; what there is none of takes no room. */
class Tally {
  readonly #counts = new Map<string, number>();
  total = 0;

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
    this.total += 1;
  }

  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
    this.total -= 1;
  }
}

function cut(connection: Connection, why: string): void {
  connection.abort(new ShoalError('net.unreachable', `cut: ${why}`));
}

/** The address without its port: what one machine cannot change at will. */
function hostOf({ remoteAddr }: Pick<MultiaddrConnection, 'remoteAddr'>): string {
  return remoteAddr.getComponents()[0]?.value ?? '';
}
