import { ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { largestBlockBytes } from './block-option.ts';
import { representation, type ServedAnswer } from './coap-server.ts';
import { FrameQueue, type FrameQueueLimits } from './frame-queue.ts';
import type { Observer } from './message-server.ts';
import { etagOf } from './resources.ts';

export interface RegistrationOptions extends FrameQueueLimits {
  readonly device: PeerId;
  /** It has shown a proof of now. */
  readonly timely: boolean;
  /** Unguessable: whoever knows it, and sends from the same address, uses the registration. */
  readonly handle: string;
  readonly endpoint: string;
  readonly lifetimeMs: number;
  /** Called once, when the device says nothing any more or does not want any. */
  onLapse(): void;
}

/** It may have been this process that was too busy to hear: what has come meanwhile is read first, ms. */
const doubtMs = 50;
/** A frame that went with an answer is sent as a notification too when the device says nothing else for so long, ms. */
const confirmMs = 2_000;

/** One device that is registered: who it is, whether it is heard of, and the frames on their way to it. */
export class Registration {
  readonly device: PeerId;
  readonly timely: boolean;
  readonly handle: string;
  readonly endpoint: string;
  readonly #clock: Clock;
  readonly #options: RegistrationOptions;
  readonly #queue: FrameQueue;
  #observer: Observer | undefined;
  #isCarrying = false;
  #isOver = false;
  /** Number of the last frame that was sent down, and that came up. */
  #down = 0;
  #up = 0;
  /** To the frame that came up last: its request may come again. */
  #answer: Promise<ServedAnswer> = Promise.resolve({ code: '2.04' });
  /** A frame came up and is not answered yet: answers it. */
  #answerNow: (() => void) | undefined;
  /** The first frame went with an answer, and whether it arrived is not known yet: ends the wait for that. */
  #endRide: (() => void) | undefined;
  #settle = (_isThere: boolean) => {};
  #heardMs: number;
  #cancelWatch = () => {};

  constructor(clock: Clock, options: RegistrationOptions) {
    this.device = options.device;
    this.timely = options.timely;
    this.handle = options.handle;
    this.endpoint = options.endpoint;
    this.#clock = clock;
    this.#options = options;
    this.#queue = new FrameQueue(options);
    this.#heardMs = clock.monotonicMs();
    this.#watch();
  }

  get isObserved(): boolean {
    return this.#observer !== undefined && !this.#isOver;
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /**
   * A frame came up; `deliver` hands it on, unless it came before. What is sent down in the same turn or the next one goes with the answer: a question
   * and its answer are two datagrams instead of four.
   */
  came(number: number, deliver: () => void): Promise<ServedAnswer> {
    if (number <= this.#up) return this.#answer;
    this.#up = number;
    // The device has had the last answer: it has one request open at a time.
    if (this.#rideIsOver()) this.#queue.carried();
    const { promise, resolve } = Promise.withResolvers<ServedAnswer>();
    const answer = () => resolve(this.#answerNow === answer ? this.#answered() : { code: '2.04' });
    this.#answerNow = answer;
    this.#answer = promise;
    deliver();
    this.#clock.soon('coap: answer', () => this.#clock.soon('coap: answer', answer));
    return this.#answer;
  }

  observedBy(observer: Observer): void {
    this.#observer?.end();
    this.#observer = observer;
  }

  /** See {@link FrameQueue.add}. */
  send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    const taken = this.#queue.add(frame, signal);
    // Only one frame is on its way at a time: the one that went with an answer is said again, and then the next.
    if (this.#rideIsOver()) void this.#carry(true);
    else if (this.#answerNow) queueMicrotask(this.#answerNow);
    else if (!this.#isCarrying) void this.#carry(false);
    return taken;
  }

  /** The frame that is on its way. @throws `not-found` when none is */
  get current(): ServedAnswer {
    const frame = this.#isCarrying ? this.#queue.first : undefined;
    if (!frame) throw new ShoalError('not-found', 'no frame waits');
    return { code: '2.05', body: frame.bytes, etag: etagOf(this.#down) };
  }

  /** The device has the frame of this number, whole. */
  taken(number: number): void {
    if (number === this.#down) this.#settle(true);
  }

  /** Nothing more is sent; what waits is told so. */
  end(why: string): void {
    this.#isOver = true;
    this.#cancelWatch();
    this.#observer?.end();
    this.#settle(false);
    this.#rideIsOver();
    this.#queue.fail(new ShoalError('net.unreachable', `${this.device}: ${why}`, { peer: this.device }));
  }

  /** Tells the device that there will be nothing more. */
  farewell(): void {
    void this.#observer?.notify({ code: '5.03' });
  }

  /** The answer to a frame, with the one frame that waits for the device, if it is one and small. */
  #answered(): ServedAnswer {
    this.#answerNow = undefined;
    const { first, size } = this.#queue;
    if (!first || this.#isCarrying || !this.isObserved) return { code: '2.04' };
    if (size > 1 || first.bytes.length > largestBlockBytes) {
      void this.#carry(false);
      return { code: '2.04' };
    }
    this.#down += 1;
    const cancel = this.#clock.after('coap: a frame that went with an answer', confirmMs, () => {
      this.#endRide = undefined;
      void this.#carry(true);
    });
    this.#endRide = cancel;
    return { code: '2.04', body: first.bytes, etag: etagOf(this.#down) };
  }

  #rideIsOver(): boolean {
    const end = this.#endRide;
    this.#endRide = undefined;
    end?.();
    return end !== undefined;
  }

  /** Sends what waits, one frame after the other. @param again the first one was sent before, with an answer */
  async #carry(again: boolean): Promise<void> {
    this.#isCarrying = true;
    if (again) this.#down -= 1;
    for (let frame = this.#queue.first; frame && !this.#isOver; frame = this.#queue.first) {
      this.#down += 1;
      if (await this.#notify(frame.bytes.length > largestBlockBytes)) this.#queue.carried();
      else if (!this.#isOver) this.#options.onLapse();
    }
    this.#isCarrying = false;
  }

  /** One frame: its first block goes with the notification. Resolves whether the device has all of it. */
  #notify(isLarge: boolean): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#settle = resolve;
    const observer = this.#observer;
    if (!observer) return Promise.resolve(false);
    void observer.notify(representation(this.current)).then((isAcknowledged) => {
      if (isAcknowledged) this.heard();
      // Of a large one the device fetches the rest, and says when it has it.
      if (!isAcknowledged || !isLarge) resolve(isAcknowledged);
    });
    return promise.finally(() => isLarge && observer.end());
  }

  #watch(isDoubted = false): void {
    const { lifetimeMs } = this.#options;
    const idleMs = this.#clock.monotonicMs() - this.#heardMs;
    const waitMs = isDoubted ? doubtMs : lifetimeMs - idleMs;
    this.#cancelWatch = this.#clock.after('coap: a device lives', Math.max(1, waitMs), () => {
      const isSilent = this.#clock.monotonicMs() - this.#heardMs >= lifetimeMs;
      if (isSilent && isDoubted) this.#options.onLapse();
      else this.#watch(isSilent);
    });
  }
}
