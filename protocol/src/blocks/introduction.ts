import { joined } from '../bytes/index.ts';
import { asShoalError, isErrorCode, ShoalError } from '../errors/index.ts';
import type { PeerId } from '../identity/index.ts';
import type { FrameStream } from '../link/libp2p/index.ts';
import { BlocksIntroduction } from '../messages/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { BlockChannel, BlockChannelListener } from './block-peers.ts';

/** How two agents know of each other that they belong to one fleet. */
export interface FleetCheck {
  /** What this agent shows. @throws when it has nothing to show */
  own(): Uint8Array;
  /** @throws `device.unknown`, `device.expired`, `device.revoked` */
  require(peer: PeerId, membership: Uint8Array): void;
}

/** Who has not said who they are after this long is not waited for, ms. */
const introductionMs = 10_000;
const closeGraceMs = 2_000;

/**
 * Who opens a stream shows first that it belongs to the fleet, and the other answers with the same. Nothing else is said before that.
 * @throws `device.unknown`, `device.expired`, `device.revoked`, whichever of the two it is about; `net.unreachable`; the signal's reason
 */
export async function introduce(
  stream: FrameStream,
  fleet: FleetCheck,
  clock: Clock,
  signal: AbortSignal,
): Promise<BlockChannel> {
  const answered = Promise.withResolvers<void>();
  // It may end while nobody waits for it yet.
  answered.promise.catch(() => {});
  const channel = new StreamChannel(
    stream,
    (frame) => {
      const { membership, refusal } = BlocksIntroduction.decode(frame);
      if (refusal !== '') throw refused(stream.remote.id, refusal);
      fleet.require(stream.remote.id, membership);
      answered.resolve();
    },
    answered.reject,
  );
  const cancel = clock.after('blocks: introduction', introductionMs, () => answered.reject(late(stream.remote.id)));
  const onAbort = () => answered.reject(asShoalError(signal.reason, 'aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await stream.send(BlocksIntroduction.encode({ membership: fleet.own() }), signal);
    await answered.promise;
    return channel;
  } catch (error) {
    channel.close();
    throw error;
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** The other end of it: `onChannel` is told of who belongs to the fleet, `onRefused` of who does not. */
export function receive(
  stream: FrameStream,
  fleet: FleetCheck,
  clock: Clock,
  { onChannel, onRefused }: { onChannel(channel: BlockChannel): void; onRefused(why: ShoalError): void },
): void {
  const end = (why: ShoalError) => {
    cancel();
    onRefused(why);
  };
  const cancel = clock.after('blocks: introduction', introductionMs, () => {
    onRefused(late(stream.remote.id));
    void stream.close(0);
  });
  const channel = new StreamChannel(
    stream,
    (frame) => {
      try {
        fleet.require(stream.remote.id, BlocksIntroduction.decode(frame).membership);
        say(stream, { membership: fleet.own() });
      } catch (error) {
        // In words that the other can act on, before it is cut.
        say(stream, { refusal: asShoalError(error).code });
        throw error;
      }
      cancel();
      onChannel(channel);
    },
    end,
  );
}

function say(stream: FrameStream, introduction: Parameters<typeof BlocksIntroduction.encode>[0]): void {
  stream.send(BlocksIntroduction.encode(introduction)).catch(() => {});
}

/** A stream as a channel, once its first frame has introduced who is there. */
class StreamChannel implements BlockChannel {
  readonly #stream: FrameStream;
  #listener: BlockChannelListener | undefined;
  #isIntroduced = false;
  #ended: ShoalError | undefined;

  /**
   * @param onFirst is given the first frame; a throw refuses who sent it
   * @param onEnd called when it ends before that
   */
  constructor(stream: FrameStream, onFirst: (frame: Uint8Array) => void, onEnd: (why: ShoalError) => void) {
    this.#stream = stream;
    stream.listen({
      onParts: (parts) => {
        if (this.#isIntroduced) {
          this.#listener?.onFrame(parts);
          return;
        }
        if (this.#ended) return;
        try {
          // Whoever waits for it may speak in the same turn.
          this.#isIntroduced = true;
          onFirst(joined(parts));
        } catch (error) {
          this.#isIntroduced = false;
          this.#ended = asShoalError(error);
          onEnd(this.#ended);
          this.close();
        }
      },
      onEnd: (why) => {
        if (this.#isIntroduced) this.#listener?.onEnd(why);
        else if (!this.#ended) onEnd(why);
        this.#ended ??= why;
      },
    });
  }

  get peer(): PeerId {
    return this.#stream.remote.id;
  }

  listen(listener: BlockChannelListener): void {
    this.#listener = listener;
    if (this.#ended) listener.onEnd(this.#ended);
  }

  send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#stream.send(frame, signal);
  }

  sendParts(head: Uint8Array, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#stream.sendParts(head, body, signal);
  }

  close(): void {
    void this.#stream.close(closeGraceMs);
  }
}

function refused(peer: PeerId, refusal: string): ShoalError {
  const code = isErrorCode(refusal) ? refusal : 'device.unknown';
  return new ShoalError(
    code,
    `${peer} does not take this device for one of its fleet, or has nothing to show itself (${code})`,
    { device: peer },
  );
}

function late(peer: PeerId): ShoalError {
  return new ShoalError('timeout', `${peer} does not say who it is`, { device: peer });
}
