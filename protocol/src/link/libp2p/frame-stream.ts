import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { joined, lengthOf } from '../../bytes/index.ts';
import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { FrameCutter, lengthBefore, withLength } from './frame-cutter.ts';

/** Who is at the other end of a stream. Noise has authenticated it: nobody else holds that key. */
export interface RemotePeer {
  readonly id: PeerId;
  /** Raw Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Through a relay, which sees ciphertext only. */
  readonly relayed: boolean;
}

export interface FrameStreamOptions {
  /** Asked for each frame that comes: a larger one ends the stream when its length is announced. */
  maxFrameBytes(): number;
  /** Bytes that may wait for the peer before `send` refuses with `queue.full`. Where nothing waits, anything is taken. */
  readonly maxBufferedBytes: number;
  /** A peer that has not read a frame after this long is cut, ms. */
  readonly slowReaderMs: number;
}

export interface FrameStreamListener {
  /** A throw ends the stream. */
  onFrame(frame: Uint8Array): void;
  /** The stream is over, once, whoever ended it. */
  onEnd(why: ShoalError): void;
}

/** The same for frames that carry much: they are not copied together. */
export interface FramePartsListener {
  onParts(parts: readonly Uint8Array[]): void;
  onEnd(why: ShoalError): void;
}

interface Waiting {
  /** Position behind the frame, in bytes since the stream was opened. */
  readonly end: number;
  settle(error?: unknown): void;
}

/** One libp2p stream that is kept open, as a row of frames in both directions. */
export class FrameStream {
  readonly remote: RemotePeer;
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #options: FrameStreamOptions;
  readonly #waiting = new Set<Waiting>();
  #written = 0;
  #ended: ShoalError | undefined;
  #cancelWatch: (() => void) | undefined;

  constructor(clock: Clock, stream: Stream, remote: RemotePeer, options: FrameStreamOptions) {
    this.#clock = clock;
    this.#stream = stream;
    this.remote = remote;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#ended === undefined && this.#stream.status === 'open' && this.#stream.writeStatus === 'writable';
  }

  /** Frames that came before are handed over at once. To be called once. */
  listen(listener: FrameStreamListener | FramePartsListener): void {
    const onParts =
      'onParts' in listener ? listener.onParts : (parts: readonly Uint8Array[]) => listener.onFrame(joined(parts));
    const cutter = new FrameCutter(this.#options.maxFrameBytes, (parts) => {
      if (this.#ended === undefined) onParts(parts);
    });
    const end = (why: ShoalError) => {
      if (this.#ended !== undefined) return;
      this.#ended = why;
      this.#cancelWatch?.();
      for (const waiting of this.#waiting) waiting.settle(why);
      listener.onEnd(why);
    };
    this.#stream.addEventListener('message', ({ data }) => {
      try {
        for (const part of data instanceof Uint8Array ? [data] : data) cutter.push(part);
      } catch (error) {
        const why = asShoalError(error);
        this.#stream.abort(why);
        end(why);
      }
    });
    // Who says nothing more hears nothing more either: a link has two directions.
    this.#stream.addEventListener('remoteCloseWrite', () => this.abort(gone('the peer has closed it')));
    this.#stream.addEventListener('close', ({ error }) =>
      end(error instanceof ShoalError ? error : gone(error?.message)),
    );
    // libp2p writes on in a microtask of its own after this event.
    this.#stream.addEventListener('drain', () => queueMicrotask(() => this.#settleTaken()));
    this.#stream.addEventListener('idle', () => this.#settleTaken());
    if (this.#stream.status !== 'open') end(gone('it closed while it was opened'));
  }

  /**
   * Resolves when the transport has taken the whole frame.
   * @throws `queue.full` when the peer reads too slowly; `net.unreachable` when the stream has ended; the signal's reason.
   */
  async send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#send(withLength(frame), signal);
  }

  /** The same for a frame in parts that nobody changes any more: they are not copied, which is what large frames are spared. */
  async sendParts(head: Uint8Array, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    // In one: what is sent by itself is framed, encrypted and written by itself, on every layer below.
    await this.#send(new Uint8ArrayList(lengthBefore(head, lengthOf(body)), ...body), signal);
  }

  async #send(bytes: Uint8Array | Uint8ArrayList, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const length = bytes.byteLength;
    if (!this.isOpen) throw this.#ended ?? gone(undefined);
    const waitingBytes = this.#stream.writeBufferLength;
    if (waitingBytes > 0 && waitingBytes + length > this.#options.maxBufferedBytes) {
      throw new ShoalError('queue.full', `${this.remote.id} reads too slowly`, { waitingBytes });
    }
    this.#written += length;
    try {
      this.#stream.send(bytes);
    } catch (error) {
      throw this.#ended ?? gone((error as Error).message);
    }
    if (this.#stream.writeBufferLength > 0) await this.#taken(this.#written, signal);
  }

  /** Stops reading until {@link resume}: the peer may send no more than fits a window. */
  pause(): void {
    if (this.isOpen) this.#stream.pause();
  }

  resume(): void {
    if (this.isOpen) this.#stream.resume();
  }

  /** Sends what waits, then ends. */
  async close(graceMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after('libp2p: close a stream', graceMs, late.resolve);
    await Promise.race([this.#stream.close().catch(() => {}), late.promise]);
    cancel();
    this.abort(gone('it was closed here'));
  }

  /** Ends at once; what waits is lost. */
  abort(why: ShoalError): void {
    this.#stream.abort(why);
  }

  #taken(end: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => waiting.settle(signal?.reason);
      const waiting: Waiting = {
        end,
        settle: (error) => {
          signal?.removeEventListener('abort', onAbort);
          this.#waiting.delete(waiting);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
      this.#watch();
    });
  }

  #settleTaken(): void {
    // One that is aborted throws away what waits, and says that nothing does.
    if (this.#stream.status !== 'open') return;
    const taken = this.#written - this.#stream.writeBufferLength;
    let progress = false;
    for (const waiting of this.#waiting) {
      if (waiting.end > taken) break;
      waiting.settle();
      progress = true;
    }
    if (!progress && this.#stream.writeBufferLength > 0) return;
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    this.#watch();
  }

  /** Looks after the frame that has waited longest. */
  #watch(): void {
    if (this.#waiting.size === 0 || this.#cancelWatch !== undefined || this.#ended !== undefined) return;
    this.#cancelWatch = this.#clock.after('libp2p: slow reader', this.#options.slowReaderMs, () => {
      this.abort(gone(`a frame was not read for ${this.#options.slowReaderMs} ms`));
    });
  }
}

function gone(why: string | undefined): ShoalError {
  return new ShoalError('net.unreachable', `the stream has ended${why ? `: ${why}` : ''}`);
}
