import { utf8 } from '../../bytes/index.ts';
import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { Identity } from '../../identity/index.ts';
import { makeKeyProof } from '../../key-proof/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { CoapAddress } from './coap-address.ts';
import { CoapConnection, type CoapConnectionDeps } from './coap-connection.ts';
import { FrameQueue } from './frame-queue.ts';
import type { CoapAnswer, CoapRequest } from './message-client.ts';
import { optionNumbers } from './options.ts';
import { downName, frameNumberOf, registryPath, upName } from './resources.ts';

export interface DeviceSessionOptions {
  readonly address: CoapAddress;
  readonly identity: Identity;
  readonly maxFrameBytes: number;
  readonly maxBufferedBytes: number;
  readonly connectTimeoutMs: number;
  readonly silenceMs: number;
  readonly heartbeatMs: number;
  readonly lifetimeS: number;
  onFrame(frame: Uint8Array): void;
}

/** One registration of a device at its coordinator, from the first datagram to the last. It is not opened twice. */
export class DeviceSession {
  readonly #clock: Clock;
  readonly #options: DeviceSessionOptions;
  readonly #connection: CoapConnection;
  readonly #queue: FrameQueue;
  readonly #ended = Promise.withResolvers<ShoalError>();
  /** Path of the registration; `undefined` before and after. */
  #place: string | undefined;
  #isOpen = false;
  #isOver = false;
  #closing: Promise<void> | undefined;
  #isSending = false;
  #sent = 0;
  /** Number of the last frame that has begun to come, and that has come whole. */
  #received = 0;
  #taken = 0;
  #lastAnswerMs = 0;
  #cancelHeartbeat = () => {};

  constructor(deps: CoapConnectionDeps, options: DeviceSessionOptions) {
    this.#clock = deps.clock;
    this.#options = options;
    this.#queue = new FrameQueue(options);
    this.#connection = new CoapConnection(deps, {
      address: options.address,
      silenceMs: options.silenceMs,
      maxBodyBytes: options.maxFrameBytes,
      onTrouble: (error) => this.#end(error),
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves with the reason when it is over. Never rejects. */
  get ended(): Promise<ShoalError> {
    return this.#ended.promise;
  }

  /**
   * Resolves when the coordinator has registered the device and knows where to send its frames.
   * @throws `net.unreachable`; `auth.forbidden` when the coordinator refuses
   */
  async open(): Promise<void> {
    try {
      await Promise.race([this.#register(), this.#ended.promise.then((error) => Promise.reject(error))]);
    } catch (error) {
      this.#end(asShoalError(error));
      throw error;
    }
    this.#isOpen = true;
    this.#beat();
  }

  /** See {@link FrameQueue.add}. */
  send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    const taken = this.#queue.add(frame, signal);
    if (!this.#isSending) void this.#carry();
    return taken;
  }

  /** Says goodbye, for at most `graceMs`, and closes. Idempotent. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const place = this.#place;
    const isThere = !this.#isOver;
    this.#end(new ShoalError('closed', 'the session was closed'));
    if (isThere && place !== undefined) {
      // It waits for what is on its way now, and that for the coordinator: both have the same time.
      const goodbye = this.#connection.request({ method: 'DELETE', path: place, timeoutMs: graceMs }).catch(() => {});
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = this.#clock.after('coap: goodbye', graceMs, resolve);
      await Promise.race([goodbye, promise]);
      cancel();
    }
    await this.#connection.close();
  }

  async #register(): Promise<void> {
    const { identity, lifetimeS, connectTimeoutMs: timeoutMs } = this.#options;
    await this.#connection.open();
    const registered = await this.#connection.request({
      method: 'POST',
      path: registryPath,
      query: `ep=${identity.id}&lt=${lifetimeS}`,
      payload: utf8(makeKeyProof('shoal-coap-v1', identity, this.#clock.nowMs())),
      timeoutMs,
    });
    if (registered.code !== '2.01') throw refusalOf(registered);
    const place = `/${registered.options.texts(optionNumbers.locationPath).join('/')}`;
    if (!place.startsWith(`${registryPath}/`)) throw new ShoalError('message.malformed', 'a registration has no place');
    this.#place = place;
    const observed = await this.#connection.observe(`${place}/${downName}`, (answer) => void this.#hear(answer));
    if (observed.code !== '2.05' || !observed.options.has(optionNumbers.observe)) throw refusalOf(observed);
    this.#lastAnswerMs = this.#clock.monotonicMs();
  }

  /** Sends what waits, one frame after the other. */
  async #carry(): Promise<void> {
    this.#isSending = true;
    try {
      for (let frame = this.#queue.first; frame && this.#isOpen; frame = this.#queue.first) {
        this.#sent += 1;
        const answer = await this.#ask({
          method: 'POST',
          path: upName,
          query: `n=${this.#sent}`,
          payload: frame.bytes,
        });
        this.#queue.carried();
        // A frame may have come with it.
        await this.#hear({ ...answer, code: '2.05' });
      }
    } catch (error) {
      this.#end(asShoalError(error));
    }
    this.#isSending = false;
  }

  async #hear(notification: CoapAnswer): Promise<void> {
    const number = frameNumberOf(notification.options.first(optionNumbers.etag));
    const block = notification.options.block(optionNumbers.block2);
    try {
      // An error as a notification says that there will be no further one (RFC 7641 §4.2).
      if (notification.code !== '2.05' || block === 'malformed') throw refusalOf(notification);
      if (number === undefined) return;
      // A notification may come twice, also while the rest of its frame is being fetched.
      if (number > this.#received) {
        this.#received = number;
        const frame = block?.more ? await this.#fetch(number, notification) : notification.payload;
        this.#taken = number;
        this.#lastAnswerMs = this.#clock.monotonicMs();
        if (!this.#isOver) this.#options.onFrame(frame);
      }
      // That a frame of one block came, its acknowledgement has said already.
      if (block?.more && this.#taken === number)
        await this.#ask({ method: 'DELETE', path: downName, query: `n=${number}` });
    } catch (error) {
      this.#end(asShoalError(error));
    }
  }

  async #fetch(number: number, notification: CoapAnswer): Promise<Buffer> {
    const path = `${this.#place}/${downName}`;
    const { payload, options } = await this.#connection.download({ method: 'GET', path }, notification);
    if (frameNumberOf(options.first(optionNumbers.etag)) !== number)
      throw new ShoalError('message.malformed', 'a frame changed while it was being fetched');
    return payload;
  }

  async #ask(request: CoapRequest): Promise<CoapAnswer> {
    const path = request.path === '' ? `${this.#place}` : `${this.#place}/${request.path}`;
    const answer = await this.#connection.request({ ...request, path });
    if (!answer.code.startsWith('2.')) throw refusalOf(answer);
    this.#lastAnswerMs = this.#clock.monotonicMs();
    return answer;
  }

  /** Says now and then that the device is there, when nothing else does. */
  #beat(): void {
    const { heartbeatMs } = this.#options;
    const idleMs = this.#clock.monotonicMs() - this.#lastAnswerMs;
    this.#cancelHeartbeat = this.#clock.after('coap: heartbeat', Math.max(1, heartbeatMs - idleMs), () => {
      const isQuiet = this.#clock.monotonicMs() - this.#lastAnswerMs >= heartbeatMs;
      const said: Promise<unknown> = isQuiet ? this.#ask({ method: 'POST', path: '' }) : Promise.resolve();
      said.then(
        () => this.#isOpen && this.#beat(),
        (error: unknown) => this.#end(asShoalError(error)),
      );
    });
  }

  #end(why: ShoalError): void {
    this.#isOpen = false;
    this.#isOver = true;
    this.#cancelHeartbeat();
    this.#queue.fail(new ShoalError('net.unreachable', 'the way to the coordinator broke', {}, { cause: why }));
    this.#ended.resolve(why);
  }
}

function refusalOf({ code, payload }: CoapAnswer): ShoalError {
  const said = payload.toString('utf8', 0, 200);
  const why = `the coordinator answered ${code}${said ? `: ${said}` : ''}`;
  return code === '4.01' || code === '4.03'
    ? new ShoalError('auth.forbidden', `${why} (its clock or this one may be wrong)`)
    : new ShoalError('net.unreachable', why);
}
