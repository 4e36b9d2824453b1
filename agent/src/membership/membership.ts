import {
  asShoalError,
  type BackoffOptions,
  backoffMs,
  type CameraStatusInit,
  Capability,
  type CapabilityInit,
  type Clock,
  type DeviceLinkState,
  delay,
  expectReply,
  type FleetPass,
  type HelloInit,
  type Identity,
  type Link,
  type Logger,
  type PeerId,
  proveToken,
  type Random,
  type SequenceStore,
  type Service,
  ShoalError,
  sealSuccession,
  type TelemetryInit,
  type VariantProfile,
  type Welcome,
} from '@shoal/protocol';
import type { ConditionWatch, Machine } from '../machine/index.ts';
import { fingerprintOf } from '../profile/index.ts';
import type { MembershipStore } from '../store/index.ts';
import type { SoftwareProbe } from './software-probe.ts';
import type { Speak } from './speak.ts';

export interface MembershipOptions {
  /** How long one Hello goes on asking before it is said anew, with what is true then, ms. Twice as long after each in vain, up to `helloTimeoutMaxMs`. */
  readonly helloTimeoutMs: number;
  /** A coordinator that has a whole fleet before it answers in the end, and sooner when it does not hear everything again. */
  readonly helloTimeoutMaxMs: number;
  readonly backoff: BackoffOptions;
  /** How often a device that waits for approval asks whether it has it, ms. */
  readonly approvalPollMs: number;
  /** Telemetry comes a little earlier or later than told, by this share, so that a fleet does not speak in step. */
  readonly jitter: number;
  /** How often a device that shows others that it belongs to the fleet says Hello, and so gets something new to show, ms. */
  readonly renewalMs: number;
}

const defaultMembershipOptions: MembershipOptions = {
  helloTimeoutMs: 15_000,
  helloTimeoutMaxMs: 60_000,
  backoff: { firstMs: 500, maxMs: 30_000, factor: 2 },
  approvalPollMs: 5_000,
  jitter: 0.1,
  renewalMs: 3_600_000,
};

/**
 * - `joining`: says Hello, has no answer yet.
 * - `pending`: the coordinator has it on its list, and an operator has to approve it; it asks again from time to time.
 * - `joined`: the coordinator said Welcome and answers.
 * - `refused`: the coordinator does not want this device; it is asked again, seldom.
 * - `revoked`: the coordinator has put this device out for good; it is not asked again.
 */
export type MembershipState = 'joining' | 'pending' | 'joined' | 'refused' | 'revoked';

/** What the device works on, as both sides must agree on it. */
export interface Presence {
  readonly profiles: readonly VariantProfile[];
  readonly attempts: readonly string[];
  readonly cameras: readonly CameraStatusInit[];
  readonly running: number;
  readonly queued: number;
  readonly outbox: number;
  /** Variants in memory, `model/variant`. */
  readonly loadedModels: readonly string[];
  readonly links: readonly DeviceLinkState[];
}

interface Deps {
  readonly identity: Identity;
  readonly coordinator: PeerId;
  /** Of a device that joins with one. */
  readonly token: { readonly tokenId: string; readonly secret: Uint8Array } | undefined;
  /** Of a device with a new key: the one that it had, and what is to be done once the coordinator knows the new one. */
  readonly succession: { readonly former: Identity; readonly done: () => Promise<void> } | undefined;
  readonly sequences: Pick<SequenceStore, 'reserve'>;
  readonly speak: Speak;
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: MembershipStore;
  /** Of a device that other devices talk to. */
  readonly pass: FleetPass | undefined;
  readonly machine: Machine;
  readonly condition: ConditionWatch;
  readonly software: SoftwareProbe;
  readonly presence: () => Presence;
  /** From now on everything is sealed. There is no way back: what asks for less may be somebody else. */
  seal(): void;
}

/**
 * Before either side takes the other for gone, however long it is told to wait. At the usual ten seconds the third try comes within two heartbeats of a
 * link's silent death: over another one.
 */
const telemetryTries = 12;

/** Codes with which a coordinator refuses a device: another try soon would not help. */
const refusals: ReadonlySet<string> = new Set([
  ...['token.refused', 'token.invalid', 'device.unknown', 'auth.forbidden'],
  // Of the word of a former key.
  ...['conflict', 'message.malformed', 'message.signature', 'message.replayed'],
]);

/**
 * The device in its fleet: says Hello at every start and after every cut, then reports how it is until the coordinator falls silent or no longer
 * knows it, and begins anew.
 */
export class Membership implements Service {
  readonly name = 'membership';
  readonly #deps: Deps;
  readonly #options: MembershipOptions;
  readonly #stopped = new AbortController();
  #state: MembershipState = 'joining';
  #welcome: Welcome | undefined;
  /** Ends the present round of reports, so that the next Hello is said. */
  #again = new AbortController();
  /** Ends the wait for the next report. */
  #hurry = () => {};
  #unreachable = false;
  #word: Uint8Array | undefined;
  #succeeded = false;
  #unsubscribe = () => {};
  #over: Promise<void> = Promise.resolve();
  readonly #firstAnswer = Promise.withResolvers<Welcome>();

  constructor(deps: Deps, options: Partial<MembershipOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultMembershipOptions, ...options };
    // Who does not wait for it must not die of it.
    this.#firstAnswer.promise.catch(() => {});
  }

  get state(): MembershipState {
    return this.#state;
  }

  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** The first Welcome. Rejects with the coordinator's refusal: `token.refused`, `device.unknown`, `device.revoked`. */
  joined(): Promise<Welcome> {
    return this.#firstAnswer.promise;
  }

  /** Does not wait for the coordinator: a device works without it. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#unsubscribe = this.#deps.link.subscribe({
      onFrame: () => {},
      onPeer: (peer, reachable) => {
        if (peer !== this.#deps.coordinator) return;
        if (!reachable) this.#unreachable = true;
        else if (this.#unreachable) this.#sayAgain();
      },
    });
    this.#over = this.#live(this.#stopped.signal).catch((error: unknown) => {
      if (this.#stopped.signal.aborted) return;
      this.#deps.logger.error('membership ended', { error: asShoalError(error).message });
    });
  }

  async stop(): Promise<void> {
    await this.#end(new ShoalError('closed', 'the agent is stopping'));
  }

  /** Says nothing more, neither Hello nor telemetry: the coordinator has revoked this device. */
  async revoke(why: ShoalError): Promise<void> {
    this.#state = 'revoked';
    await this.#end(why);
  }

  async #end(why: ShoalError): Promise<void> {
    this.#unsubscribe();
    this.#stopped.abort(why);
    this.#firstAnswer.reject(why);
    await this.#over;
  }

  async #live(signal: AbortSignal): Promise<void> {
    let probed = false;
    for (;;) {
      this.#again = new AbortController();
      const welcome = await this.#join(signal);
      // Only once joined: it takes seconds of a small processor, and joining must not wait for it.
      if (!probed) void this.#probeSoftware(signal);
      probed = true;
      await this.#report(welcome, AbortSignal.any([signal, this.#again.signal]));
      signal.throwIfAborted();
    }
  }

  /** The next report is not waited for: its answer tells what time it is with the coordinator. */
  reportNow(): void {
    this.#hurry();
  }

  /** Something that the coordinator learns from a Hello has changed, or it may have missed something. */
  #sayAgain(): void {
    this.#unreachable = false;
    this.#again.abort(new ShoalError('aborted', 'hello is said again'));
  }

  async #join(signal: AbortSignal): Promise<Welcome> {
    const { speak, clock, logger, store } = this.#deps;
    for (let failures = 0; ; failures++) {
      this.#unreachable = false;
      try {
        const { helloTimeoutMs, helloTimeoutMaxMs } = this.#options;
        const timeoutMs = Math.min(helloTimeoutMaxMs, helloTimeoutMs * 2 ** failures);
        const hello = await this.#hello(signal);
        const welcome = expectReply(await speak({ hello }, { timeoutMs, signal }), 'welcome');
        this.#deps.link.advertise?.(Capability.encode(hello.capability ?? {}));
        await this.#succeed();
        await this.#renewPass(welcome);
        if (this.#state !== 'joined') logger.info('joined', { name: welcome.deviceName });
        this.#state = 'joined';
        this.#welcome = welcome;
        this.#firstAnswer.resolve(welcome);
        if (store.welcomedAtMs() === undefined) await store.recordWelcome(clock.nowMs());
        return welcome;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asShoalError(thrown);
        if (error.code === 'seal.required') await this.#seal();
        else this.#notJoined(error, failures);
        await delay(clock, 'membership: hello again', this.#pauseMs(failures), signal);
      }
    }
  }

  async #renewPass(welcome: Welcome): Promise<void> {
    const { pass, store } = this.#deps;
    if (!pass) return;
    pass.renew(welcome);
    // For when it is started again and the coordinator is away.
    if (welcome.membership.length > 0) await store.recordShown(welcome.membership);
  }

  /** The coordinator has come to seal what it says since this device joined. It has signed that; another could only forge it to have more sealed. */
  async #seal(): Promise<void> {
    const { store, seal, logger } = this.#deps;
    const pinned = store.pinned();
    if (pinned) await store.pin({ ...pinned, seal: true });
    seal();
    logger.info('the coordinator wants messages to be sealed: they are from now on');
  }

  #pauseMs(failures: number): number {
    const { backoff, approvalPollMs } = this.#options;
    return this.#state === 'pending' ? this.#jittered(approvalPollMs) : backoffMs(failures, backoff, this.#deps.random);
  }

  #notJoined(error: ShoalError, failures: number): void {
    const { logger } = this.#deps;
    if (error.code === 'device.pending') {
      if (this.#state !== 'pending') logger.warn(`${error.message}. It goes on by itself then`, { code: error.code });
      this.#state = 'pending';
      return;
    }
    if (!refusals.has(error.code)) {
      this.#state = 'joining';
      // Once: that its broker was reached says nothing, another coordinator may have it by now.
      logger[failures === 0 ? 'warn' : 'debug'](
        'the coordinator does not answer: is it the one that runs at this address?',
        {
          code: error.code,
          why: error.message,
        },
      );
      return;
    }
    if (this.#state !== 'refused')
      logger.error('the coordinator refuses this device', { code: error.code, why: error.message });
    this.#state = 'refused';
    this.#firstAnswer.reject(error);
  }

  /** The former key says of this one that it takes its place. Sealed once: the sequence is one of those that are never used again. */
  async #wordOfFormerKey(): Promise<Uint8Array | undefined> {
    const { succession, identity, coordinator: recipient, sequences, clock } = this.#deps;
    if (!succession || this.#succeeded) return undefined;
    this.#word ??= sealSuccession(succession.former, identity, {
      recipient,
      sequence: await sequences.reserve(1),
      sentAtMs: clock.nowMs(),
    });
    return this.#word;
  }

  async #succeed(): Promise<void> {
    const { succession, identity, logger } = this.#deps;
    if (!succession || this.#succeeded) return;
    try {
      await succession.done();
      this.#succeeded = true;
      logger.info('this device has a new key', { device: identity.id, former: succession.former.id });
    } catch (error) {
      // The coordinator knows the key, and the next hello, or the next start, tries again.
      logger.error('the former key could not be deleted', { why: asShoalError(error).message });
    }
  }

  async #hello(signal: AbortSignal): Promise<HelloInit> {
    const { identity, token, presence, condition } = this.#deps;
    // Work may be offered as soon as the coordinator has heard this: by then the device must know its battery and its heat.
    await condition.read(signal);
    const { profiles, attempts, cameras } = presence();
    const succession = await this.#wordOfFormerKey();
    return {
      ...(succession && { succession }),
      // Said with every Hello while it is at hand: a coordinator that knows the device does not look at it.
      ...(token && { tokenId: token.tokenId, tokenProof: proveToken(token.secret, identity.id) }),
      capability: await this.#capability(signal),
      profiles,
      runningAttempts: attempts,
      runningCameras: cameras.map(({ cameraId }) => cameraId ?? ''),
    };
  }

  async #capability(signal: AbortSignal): Promise<CapabilityInit> {
    const capability = await this.#deps.machine.capability(signal);
    const known = this.#deps.software.known;
    return {
      ...capability,
      runtimes: known?.runtimes ?? [],
      decoders: known?.decoders ?? [],
      taskSlots: known?.taskSlots ?? 1,
    };
  }

  async #probeSoftware(signal: AbortSignal): Promise<void> {
    const { machine, software, logger } = this.#deps;
    try {
      const changed = await software.run(fingerprintOf(await machine.capability(signal)), signal);
      if (changed) this.#sayAgain();
    } catch (error) {
      if (!signal.aborted) logger.warn('what this machine can run is not known', { why: asShoalError(error).message });
    }
  }

  /** Says how the device is, again and again. Returns when it is time for another Hello. */
  async #report(welcome: Welcome, signal: AbortSignal): Promise<void> {
    const { speak, logger } = this.#deps;
    const intervalMs = Math.max(100, welcome.telemetryIntervalMs);
    // Telemetry is a request, so that a coordinator that is gone without a word is noticed: the silence is on both sides.
    const timeoutMs = Math.max(intervalMs, welcome.livenessTimeoutMs);
    const resendMaxMs = timeoutMs / telemetryTries;
    const cancelRenewal = this.#renewLater();
    try {
      for (;;) {
        await speak({ telemetry: await this.#telemetry(signal) }, { timeoutMs, resendMaxMs, signal });
        await this.#untilNextReport(intervalMs, signal);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asShoalError(thrown);
      this.#state = 'joining';
      logger.warn('the coordinator is lost: joining again', { code: error.code, why: error.message });
    } finally {
      cancelRenewal();
    }
  }

  #renewLater(): () => void {
    const { pass, clock } = this.#deps;
    if (!pass) return () => {};
    return clock.after('membership: renewal', this.#jittered(this.#options.renewalMs), () => this.#sayAgain());
  }

  async #untilNextReport(intervalMs: number, signal: AbortSignal): Promise<void> {
    const wait = new AbortController();
    this.#hurry = () => wait.abort();
    signal.addEventListener('abort', this.#hurry, { once: true });
    try {
      await delay(this.#deps.clock, 'membership: telemetry', this.#jittered(intervalMs), wait.signal);
    } catch {
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', this.#hurry);
    }
  }

  #jittered(ms: number): number {
    const { jitter } = this.#options;
    return ms * (1 - jitter + 2 * jitter * this.#deps.random.next());
  }

  async #telemetry(signal: AbortSignal): Promise<TelemetryInit> {
    const condition = await this.#deps.condition.read(signal);
    const { cameras, running, queued, outbox, loadedModels, links } = this.#deps.presence();
    return { ...condition, cameras, running, queued, outbox, loadedModels, links };
  }
}
