import { asShoalError, BoundedQueue, type Clock, delay, type Logger, type Random, ShoalError } from '@shoal/protocol';
import type { LivePicture, WebhookRecord, WebhookTrial, WebhookView } from '../domain/index.ts';
import { bodyOf, type CloudEvent, cloudEventMediaType } from './cloud-event.ts';
import type { WebhookSender } from './sender.ts';
import { shownUrl } from './shown-url.ts';
import { signedHeaders } from './signature.ts';

/** Deliveries that wait; then the oldest goes. */
const waitingLimit = 1_000;
/** Pictures that wait along with them, bytes; then the oldest pictures go, and what they belong to is sent without. */
const mostPictureBytes = 2 << 20;
/** For an answer, ms. */
const answerMs = 10_000;
/** Something that could not be delivered for so long is given up, ms. */
const patienceMs = 24 * 3_600_000;
/** Between tries, ms: twice as long each time, from half of it to all of it. */
const firstPauseMs = 2_000;
const longestPauseMs = 15 * 60_000;
/** Times that a receiver may answer that it does not want this one: it is there, and others wait. */
const mostRefusals = 8;
/** Answers in 400..499 that say "later". */
const laterStatuses: ReadonlySet<number> = new Set([408, 425, 429]);
const goneStatus = 410;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly sender: Pick<WebhookSender, 'post'>;
  /** The receiver says that it never wants anything again. */
  readonly onGone: (reason: string) => void;
}

interface Delivery {
  readonly event: CloudEvent;
  readonly madeMs: number;
  /** Settled when the picture is there, or will not be. */
  readonly pictureSettled: Promise<void>;
  picture?: LivePicture | undefined;
}

interface Outcome {
  readonly status?: number;
  /** `undefined`: it was delivered. */
  readonly failure?: string;
}

/** What one webhook is still to be told, in order: the first one is tried until it is delivered or given up. One request at a time. */
export class DeliveryLine {
  readonly #deps: Deps;
  readonly #hook: WebhookRecord;
  readonly #queue = new BoundedQueue<Delivery>({ name: 'webhook', limit: waitingLimit, overflow: 'drop-oldest' });
  /** Those with a picture, oldest first. */
  readonly #pictured = new Set<Delivery>();
  readonly #over = new AbortController();
  readonly #ended: Promise<void>;
  #tried: Delivery | undefined;
  #isTested = false;
  #turn: Promise<unknown> = Promise.resolve();
  #failuresInARow = 0;
  #delivered = 0;
  #failed = 0;
  #givenUp = 0;
  #lastFailure: WebhookView['lastFailure'];

  constructor(deps: Deps, hook: WebhookRecord) {
    this.#deps = deps;
    this.#hook = hook;
    this.#ended = this.#work(this.#over.signal).catch((error: unknown) => {
      if (!this.#over.signal.aborted)
        deps.logger.error('a webhook has ended', { webhook: hook.id, error: asShoalError(error).message });
    });
  }

  get counts(): Pick<WebhookView, 'waiting' | 'delivered' | 'failed' | 'dropped' | 'lastFailure'> {
    return {
      waiting: this.#queue.size + (this.#tried ? 1 : 0),
      delivered: this.#delivered,
      failed: this.#failed,
      dropped: this.#queue.dropped + this.#givenUp,
      ...(this.#lastFailure && { lastFailure: this.#lastFailure }),
    };
  }

  push(event: CloudEvent, picture?: Promise<LivePicture | undefined>): void {
    if (this.#over.signal.aborted) return;
    const pictureSettled = picture?.then((taken) => this.#keepPicture(delivery, taken)) ?? Promise.resolve();
    const delivery: Delivery = { event, madeMs: this.#deps.clock.monotonicMs(), pictureSettled };
    const evicted = this.#queue.push(delivery);
    if (evicted) this.#done(evicted);
  }

  /** One try, at once, ahead of what waits. @throws `rate-limited` while another one is under way */
  async test(event: CloudEvent, signal: AbortSignal): Promise<WebhookTrial> {
    if (this.#isTested) throw new ShoalError('rate-limited', 'a test of this webhook is under way');
    this.#isTested = true;
    const { clock } = this.#deps;
    const both = AbortSignal.any([signal, this.#over.signal]);
    const startMs = clock.monotonicMs();
    const { status, failure } = await this.#inTurn(() => this.#post(event, undefined, both)).finally(() => {
      this.#isTested = false;
    });
    return {
      delivered: failure === undefined,
      ...(status !== undefined && { status }),
      ...(failure !== undefined && { reason: failure }),
      tookMs: clock.monotonicMs() - startMs,
    };
  }

  async stop(): Promise<void> {
    this.#over.abort(new ShoalError('aborted', 'the webhook is stopped'));
    await this.#ended;
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#tried = await this.#queue.take(signal);
      signal.throwIfAborted();
      if (!this.#tried) return;
      await this.#deliver(this.#tried, signal);
      this.#done(this.#tried);
      this.#tried = undefined;
    }
  }

  async #deliver(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { clock, logger, onGone } = this.#deps;
    await delivery.pictureSettled;
    for (let refusals = 0; refusals < mostRefusals && clock.monotonicMs() - delivery.madeMs < patienceMs; ) {
      const outcome = await this.#inTurn(() => this.#post(delivery.event, delivery.picture, signal));
      this.#note(outcome);
      if (outcome.failure === undefined) return;
      if (outcome.status === goneStatus) {
        this.#clear();
        return onGone(outcome.failure);
      }
      if (isRefusal(outcome.status)) refusals += 1;
      await delay(clock, 'webhook: next try', this.#pauseMs(), signal);
    }
    this.#givenUp += 1;
    logger.warn('a webhook was not delivered', { ...this.#who(), delivery: delivery.event.id });
  }

  /** Nobody wants what waits, nor what was tried. */
  #clear(): void {
    this.#givenUp += 1 + this.#queue.size;
    for (let waits = this.#queue.shift(); waits; waits = this.#queue.shift()) this.#done(waits);
  }

  async #post(event: CloudEvent, picture: LivePicture | undefined, signal: AbortSignal): Promise<Outcome> {
    const { clock, sender } = this.#deps;
    const { url, secret } = this.#hook;
    const body = bodyOf(event, picture);
    const headers = {
      'content-type': cloudEventMediaType,
      ...signedHeaders(secret, { id: event.id, atMs: clock.nowMs(), body }),
    };
    const late = new AbortController();
    const cancel = clock.after('webhook: answer', answerMs, () =>
      late.abort(new ShoalError('timeout', `no answer within ${answerMs / 1_000} s`)),
    );
    try {
      const status = await sender.post({ url, headers, body }, AbortSignal.any([signal, late.signal]));
      const failure = failureOf(status);
      return { status, ...(failure !== undefined && { failure }) };
    } catch (error) {
      signal.throwIfAborted();
      return { failure: asShoalError(error).message };
    } finally {
      cancel();
    }
  }

  #note({ failure }: Outcome): void {
    if (failure === undefined) {
      this.#delivered += 1;
      this.#failuresInARow = 0;
      this.#lastFailure = undefined;
      return;
    }
    const { clock, logger } = this.#deps;
    if (this.#failuresInARow === 0) logger.info('a webhook is tried again later', { ...this.#who(), why: failure });
    this.#failed += 1;
    this.#failuresInARow += 1;
    this.#lastFailure = { atMs: clock.nowMs(), reason: failure };
  }

  #pauseMs(): number {
    const longestMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failuresInARow - 1));
    return (longestMs * (1 + this.#deps.random.next())) / 2;
  }

  #inTurn<Value>(action: () => Promise<Value>): Promise<Value> {
    const mine = this.#turn.then(action);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #keepPicture(delivery: Delivery, picture: LivePicture | undefined): void {
    delivery.picture = picture;
    if (picture) this.#pictured.add(delivery);
    let bytes = 0;
    for (const held of [...this.#pictured].reverse()) {
      bytes += held.picture?.jpeg.length ?? 0;
      if (bytes > mostPictureBytes) this.#done(held);
    }
  }

  /** Its picture is not needed any more. */
  #done(delivery: Delivery): void {
    delivery.picture = undefined;
    this.#pictured.delete(delivery);
  }

  #who() {
    return { webhook: this.#hook.id, url: shownUrl(this.#hook.url) };
  }
}

function failureOf(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400) return `it answered ${status}: redirects are not followed`;
  return `it answered ${status}`;
}

function isRefusal(status = 0): boolean {
  return status >= 400 && status < 500 && !laterStatuses.has(status);
}
