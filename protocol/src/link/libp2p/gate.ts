import type { ConnectionGater, PeerId as Libp2pPeerId, MultiaddrConnection } from '@libp2p/interface';
import { ShoalError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { Libp2pLimits } from './limits.ts';
import { libp2pPeerOf } from './peer-keys.ts';

export interface GateDeps {
  readonly clock: Clock;
  /** Whether a peer belongs to the fleet, asked anew each time. */
  isMember(peer: Libp2pPeerId): boolean;
  readonly limits: Libp2pLimits;
}

/**
 * Who may connect, and how much of this node somebody gets who has not joined: a few connections in all and from one address, some bytes, and half
 * a minute to join. Who has joined is limited by none of that.
 */
export class Gate implements ConnectionGater {
  readonly #deps: GateDeps;
  /** Connections whose peer has not said yet who it is, by the address that they come from. */
  readonly #handshakes = new Tally();
  readonly #strangers = new Tally();
  /** How to end what is counted of a connection. */
  readonly #counted = new Map<MultiaddrConnection, () => void>();
  /** Who has asked for a place at the relay and has not joined yet. */
  readonly #hopeful = new Map<string, Set<() => void>>();

  constructor(deps: GateDeps) {
    this.#deps = deps;
  }

  get counts(): { readonly handshakes: number; readonly strangers: number } {
    return { handshakes: this.#handshakes.total, strangers: this.#strangers.total };
  }

  denyInboundConnection = (connection: MultiaddrConnection): boolean => {
    const { maxHandshakes, maxHandshakesPerHost } = this.#deps.limits;
    const host = hostOf(connection);
    if (this.#handshakes.total >= maxHandshakes || this.#handshakes.of(host) >= maxHandshakesPerHost) return true;
    this.#handshakes.add(host);
    this.#count(connection, () => this.#handshakes.remove(host));
    return false;
  };

  denyInboundUpgradedConnection = (peer: Libp2pPeerId, connection: MultiaddrConnection): boolean => {
    this.#uncount(connection);
    if (this.#deps.isMember(peer)) return false;
    const { maxStrangers, maxStrangersPerHost } = this.#deps.limits;
    const host = hostOf(connection);
    if (this.#strangers.total >= maxStrangers || this.#strangers.of(host) >= maxStrangersPerHost) return true;
    this.#watchStranger(peer, connection, host);
    return false;
  };

  /** A device that joins now asks for its place at the relay before its hello was answered: it is waited for as long as a handshake may take. */
  denyInboundRelayReservation = async (source: Libp2pPeerId): Promise<boolean> => !(await this.#becomesMember(source));

  denyOutboundRelayedConnection = (source: Libp2pPeerId, destination: Libp2pPeerId): boolean =>
    !this.#deps.isMember(source) || !this.#deps.isMember(destination);

  /** To be called when something was said to a peer: it may have been its welcome. */
  heard(publicKey: Uint8Array): void {
    if (this.#hopeful.size === 0) return;
    const peer = libp2pPeerOf(publicKey);
    const hopeful = this.#hopeful.get(peer.toString());
    if (hopeful && this.#deps.isMember(peer)) for (const tell of [...hopeful]) tell();
  }

  stop(): void {
    for (const connection of [...this.#counted.keys()]) this.#uncount(connection);
    for (const waiting of [...this.#hopeful.values()]) for (const tell of [...waiting]) tell();
  }

  #watchStranger(peer: Libp2pPeerId, connection: MultiaddrConnection, host: string): void {
    const { clock, isMember, limits } = this.#deps;
    const cutUnlessMember = (why: string) => {
      this.#uncount(connection);
      if (!isMember(peer)) connection.abort(new ShoalError('net.unreachable', `cut: who has not joined ${why}`));
    };
    let bytes = 0;
    const onMessage = ({ data }: { readonly data: { readonly byteLength: number } }) => {
      bytes += data.byteLength;
      if (bytes > limits.strangerBytes) cutUnlessMember(`may send ${limits.strangerBytes} bytes`);
    };
    const cancelGrace = clock.after('libp2p: a stranger joins', limits.strangerGraceMs, () =>
      cutUnlessMember(`has ${limits.strangerGraceMs} ms to join`),
    );
    connection.addEventListener('message', onMessage);
    this.#strangers.add(host);
    this.#count(connection, () => {
      cancelGrace();
      connection.removeEventListener('message', onMessage);
      this.#strangers.remove(host);
    });
  }

  #becomesMember(peer: Libp2pPeerId): Promise<boolean> {
    const { clock, isMember, limits } = this.#deps;
    if (isMember(peer)) return Promise.resolve(true);
    const key = peer.toString();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = this.#hopeful.get(key) ?? new Set();
    const settle = () => {
      cancel();
      waiting.delete(settle);
      if (waiting.size === 0) this.#hopeful.delete(key);
      resolve(isMember(peer));
    };
    const cancel = clock.after('libp2p: who asks for the relay joins', limits.handshakeTimeoutMs, settle);
    waiting.add(settle);
    this.#hopeful.set(key, waiting);
    return promise;
  }

  #count(connection: MultiaddrConnection, end: () => void): void {
    const onClose = () => this.#uncount(connection);
    connection.addEventListener('close', onClose);
    this.#counted.set(connection, () => {
      connection.removeEventListener('close', onClose);
      end();
    });
  }

  #uncount(connection: MultiaddrConnection): void {
    const end = this.#counted.get(connection);
    this.#counted.delete(connection);
    end?.();
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

/** The address without its port: what one machine cannot change at will. */
function hostOf({ remoteAddr }: MultiaddrConnection): string {
  return remoteAddr.getComponents()[0]?.value ?? '';
}
