import {
  type Clock,
  createLogger,
  isShoalError,
  type LogRecord,
  type PeerId,
  ShoalError,
  seededRandom,
  sha256Hex,
} from '@shoal/protocol';
import {
  type BlockChannel,
  type BlockChannelListener,
  BlockExchange,
  type BlockExchangeOptions,
  type BlockFile,
  type BlockPeers,
  type BlockPeersListener,
  type BlockStore,
  defaultBlockExchangeOptions,
  type PartFile,
  type StoredFile,
} from '@shoal/protocol/blocks';
import { VirtualClock } from '@shoal/protocol/testing';

/** A network of agents under a virtual clock: each has an uplink of its own, frames take their time, connections are cut. */
export class Swarm {
  readonly clock = new VirtualClock({ timersPerPoll: 64 });
  readonly latencyMs: number;
  readonly #members = new Map<PeerId, Member>();

  constructor(options: { readonly latencyMs?: number } = {}) {
    this.latencyMs = options.latencyMs ?? 1;
  }

  member(name: string, options: { readonly bytesPerMs?: number } = {}): Member {
    const member = new Member(`dev_${name}` as PeerId, this, options.bytesPerMs ?? 10_000);
    const others = [...this.#members.values()];
    this.#members.set(member.id, member);
    for (const other of others) {
      other.hello(member.id);
      member.hello(other.id);
    }
    return member;
  }

  find(id: PeerId): Member | undefined {
    return this.#members.get(id);
  }

  /** Takes a member off the network, as when its plug is pulled. */
  cut(member: Member): void {
    this.#members.delete(member.id);
    for (const other of this.#members.values()) other.gone(member.id);
    member.cutAll();
  }

  /** Lets time pass until all of these have ended, at most so long. Returns how each ended. */
  async until(ends: readonly Promise<unknown>[], mostMs = 600_000): Promise<string[]> {
    let open = ends.length;
    const outcomes = ends.map((end) =>
      end.then(
        () => 'done',
        (error: unknown) => (isShoalError(error) ? error.code : String(error)),
      ),
    );
    for (const outcome of outcomes) void outcome.then(() => (open -= 1));
    const endMs = this.clock.monotonicMs() + mostMs;
    while (open > 0 && this.clock.monotonicMs() < endMs) await this.clock.advance(50);
    if (open > 0)
      throw new Error(
        `${open} of ${ends.length} have not ended after ${mostMs} ms: ${this.clock.pending().slice(0, 5)}`,
      );
    return Promise.all(outcomes);
  }
}

/** One agent's end of the network. */
export class Member implements BlockPeers {
  readonly id: PeerId;
  readonly store = new MemoryBlockStore();
  readonly logged: LogRecord[] = [];
  readonly #swarm: Swarm;
  readonly #bytesPerMs: number;
  readonly #known = new Set<PeerId>();
  readonly #listeners = new Set<BlockPeersListener>();
  readonly #channels = new Set<SimulatedChannel>();
  #freeAtMs = 0;
  bytesSent = 0;
  framesSent = 0;

  constructor(id: PeerId, swarm: Swarm, bytesPerMs: number) {
    this.id = id;
    this.#swarm = swarm;
    this.#bytesPerMs = bytesPerMs;
  }

  async exchange(options: Partial<BlockExchangeOptions> = {}): Promise<BlockExchange> {
    const exchange = new BlockExchange(
      {
        peers: this,
        store: this.store,
        clock: this.#swarm.clock,
        random: seededRandom([...this.id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7)),
        logger: createLogger((record) => this.logged.push(record), 'debug'),
      },
      { uploads: { bytesPerSecond: Number.POSITIVE_INFINITY, atOnce: 4 }, ...options },
    );
    await exchange.start(new AbortController().signal);
    return exchange;
  }

  connected(): PeerId[] {
    return [...this.#known];
  }

  async open(peer: PeerId, signal: AbortSignal): Promise<BlockChannel> {
    const other = this.#swarm.find(peer);
    await pause(this.#swarm.clock, this.#swarm.latencyMs);
    signal.throwIfAborted();
    if (!other || !this.#known.has(peer)) throw new ShoalError('net.unreachable', `${peer} is not there`);
    const here = new SimulatedChannel(peer, this);
    const there = new SimulatedChannel(this.id, other);
    here.other = there;
    there.other = here;
    this.#channels.add(here);
    other.#channels.add(there);
    for (const listener of other.#listeners) listener.onChannel(there);
    return here;
  }

  subscribe(listener: BlockPeersListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hello(peer: PeerId): void {
    this.#known.add(peer);
    for (const listener of this.#listeners) listener.onPeer(peer);
  }

  gone(peer: PeerId): void {
    this.#known.delete(peer);
    for (const channel of this.#channels) if (channel.peer === peer) channel.end();
  }

  cutAll(): void {
    this.#known.clear();
    for (const channel of this.#channels) channel.end();
  }

  /** Resolves when the frame has left the uplink; it arrives a little later. */
  async transmit(frame: Uint8Array, arrive: () => void): Promise<void> {
    const { clock, latencyMs } = this.#swarm;
    this.#freeAtMs = Math.max(this.#freeAtMs, clock.monotonicMs()) + frame.length / this.#bytesPerMs;
    this.bytesSent += frame.length;
    this.framesSent += 1;
    const leavesInMs = this.#freeAtMs - clock.monotonicMs();
    clock.after('arrives', leavesInMs + latencyMs, arrive);
    await pause(clock, leavesInMs);
  }

  forget(channel: SimulatedChannel): void {
    this.#channels.delete(channel);
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after('pause', ms, resolve));
}

class SimulatedChannel implements BlockChannel {
  readonly peer: PeerId;
  other: SimulatedChannel | undefined;
  readonly #owner: Member;
  #listener: BlockChannelListener | undefined;
  #isOpen = true;

  constructor(peer: PeerId, owner: Member) {
    this.peer = peer;
    this.#owner = owner;
  }

  listen(listener: BlockChannelListener): void {
    this.#listener = listener;
  }

  async send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#isOpen) throw new ShoalError('net.unreachable', 'the channel has ended');
    // What is sent is what it was when it was sent.
    const bytes = frame.slice();
    await this.#owner.transmit(bytes, () => this.other?.take(bytes));
  }

  sendParts(head: Uint8Array, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.send(Buffer.concat([head, ...body]), signal);
  }

  take(frame: Uint8Array): void {
    if (this.#isOpen) this.#listener?.onFrame([frame]);
  }

  close(): void {
    void this.#owner.transmit(new Uint8Array(), () => this.other?.end());
    this.end();
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#owner.forget(this);
    this.#listener?.onEnd(new ShoalError('net.unreachable', 'the channel has ended'));
  }
}

/** Files in memory, which behave as those on a disk: what was written survives whoever wrote it. */
export class MemoryBlockStore implements BlockStore {
  readonly files = new Map<string, Uint8Array>();
  readonly parts = new Map<string, Uint8Array>();

  hold(bytes: Uint8Array): BlockFile {
    const sha256 = sha256Hex(bytes);
    this.files.set(sha256, bytes);
    return { sha256, sizeBytes: bytes.length };
  }

  async open({ sha256, sizeBytes }: BlockFile): Promise<StoredFile | undefined> {
    const bytes = this.files.get(sha256);
    return bytes?.length === sizeBytes ? reading(() => bytes) : undefined;
  }

  async part(file: BlockFile): Promise<PartFile> {
    const isNew = !this.parts.has(file.sha256);
    const bytes = this.parts.get(file.sha256) ?? new Uint8Array(file.sizeBytes);
    this.parts.set(file.sha256, bytes);
    return {
      ...reading(() => bytes),
      isNew,
      write: async (offset, pieces) => bytes.set(Buffer.concat(pieces), offset),
      finish: async () => {
        this.files.set(file.sha256, bytes);
        this.parts.delete(file.sha256);
      },
    };
  }
}

function reading(bytes: () => Uint8Array): StoredFile {
  return {
    read: async (offset, length) => bytes().slice(offset, offset + length),
    close: async () => {},
  };
}

/** A file of this size in which no two pieces are alike. */
export function someFile(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const words = new Uint32Array(bytes.buffer, 0, sizeBytes >> 2);
  for (let at = 0, word = seed; at < words.length; at++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    words[at] = word;
  }
  return bytes;
}

export const patient = { ...defaultBlockExchangeOptions.download };
