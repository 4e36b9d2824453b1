import { asShoalError, type Clock, type Logger, newId, type PeerId, type Random, ShoalError } from '@shoal/protocol';
import type {
  Coordinator,
  EventRecord,
  LivePicture,
  WebhookRecord,
  WebhookSpec,
  Webhooks,
  WebhookTrial,
  WebhookType,
  WebhookView,
} from '../domain/index.ts';
import type { Store } from '../store/index.ts';
import { cloudEventOf, testEvent } from './cloud-event.ts';
import { DeliveryLine } from './delivery-line.ts';
import { Phases } from './phases.ts';
import type { WebhookSender } from './sender.ts';
import { shownUrl } from './shown-url.ts';
import { secretWord } from './signature.ts';

const mostWebhooks = 50;
const longestUrlChars = 2_048;
const secretLength = 32;
/** A larger one is left out, bytes: receivers have limits too. */
const largestPictureBytes = 512 << 10;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit'>;
  readonly sender: WebhookSender;
  readonly identity: { readonly id: PeerId };
  readonly events: Pick<Coordinator['events'], 'watch'>;
  readonly cameras: Pick<Coordinator['cameras'], 'get'>;
  readonly pictures: Pick<Coordinator['pictures'], 'newest'>;
}

interface Hook {
  record: WebhookRecord;
  readonly line: DeliveryLine;
}

/** Tells others by requests to their URLs of what goes on before the cameras. The webhooks are durable; what waits to be delivered is not. */
export class WebhookBook implements Webhooks {
  readonly #deps: Deps;
  readonly #hooks = new Map<string, Hook>();
  readonly #phases = new Phases();
  readonly #over = new AbortController();
  /** Pictures that are being asked for, by camera: all that want one share it. */
  readonly #asked = new Map<string, Promise<LivePicture | undefined>>();
  #following: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  load(records: readonly WebhookRecord[]): void {
    for (const record of records) this.#put(record);
  }

  start(): void {
    this.#following = this.#follow().catch((error: unknown) => {
      if (!this.#over.signal.aborted)
        this.#deps.logger.error('webhooks are told nothing any more', { error: asShoalError(error).message });
    });
  }

  async stop(): Promise<void> {
    this.#over.abort(new ShoalError('aborted', 'the coordinator stops'));
    await Promise.all([this.#following, ...Array.from(this.#hooks.values(), ({ line }) => line.stop())]);
  }

  async create(spec: WebhookSpec): Promise<WebhookView & { readonly secret: string }> {
    const { clock, random, store, sender, cameras } = this.#deps;
    if (spec.url.length > longestUrlChars)
      throw new ShoalError('input.invalid', `url: ${longestUrlChars} characters at most`, { field: 'url' });
    if (spec.types.length === 0) throw new ShoalError('input.invalid', 'types: at least one', { field: 'types' });
    if (spec.camera !== undefined) cameras.get(spec.camera);
    await sender.check(spec.url);
    if (this.#hooks.size >= mostWebhooks)
      throw new ShoalError('queue.full', `there are ${mostWebhooks} webhooks: remove some`);
    const createdAtMs = clock.nowMs();
    const secret = random.bytes(secretLength);
    const record = { ...spec, id: newId('whk', createdAtMs, random), secret, createdAtMs };
    await store.commit([{ kind: 'webhook', webhook: record }]);
    return { ...viewOf(this.#put(record)), secret: secretWord(secret) };
  }

  list(): readonly WebhookView[] {
    return Array.from(this.#hooks.values(), viewOf);
  }

  async remove(id: string): Promise<void> {
    const hook = this.#known(id);
    // From here on nothing is written of it: that would bring it back.
    this.#hooks.delete(id);
    await this.#deps.store.commit([{ kind: 'webhook-removed', id }]).catch((error: unknown) => {
      this.#hooks.set(id, hook);
      throw error;
    });
    await hook.line.stop();
  }

  async test(id: string, signal: AbortSignal): Promise<WebhookTrial> {
    const hook = this.#known(id);
    const { clock, random } = this.#deps;
    const trial = await hook.line.test(testEvent(newId('tst', clock.nowMs(), random), this.#context()), signal);
    if (trial.delivered && hook.record.off) {
      const { off: _, ...on } = hook.record;
      await this.#change(hook, on);
    }
    return trial;
  }

  async #follow(): Promise<void> {
    for await (const event of this.#deps.events.watch({}, this.#over.signal)) {
      for (const type of this.#phases.of(event)) this.#tell(event, type);
    }
  }

  #tell(event: EventRecord, type: WebhookType): void {
    const wanting = [...this.#hooks.values()].filter(({ record }) => wants(record, event, type));
    if (wanting.length === 0) return;
    const told = cloudEventOf(event, type, this.#nameOf(event.camera), this.#context());
    for (const { record, line } of wanting) line.push(told, record.picture ? this.#picture(event.camera) : undefined);
  }

  #context() {
    return { coordinator: this.#deps.identity.id, nowMs: this.#deps.clock.nowMs() };
  }

  #nameOf(camera: string): string | undefined {
    try {
      return this.#deps.cameras.get(camera).spec.name;
    } catch {
      return undefined;
    }
  }

  /** What the camera sees now; it is not waited for longer than the desk of pictures does. */
  #picture(camera: string): Promise<LivePicture | undefined> {
    const asked = this.#asked.get(camera);
    if (asked !== undefined) return asked;
    const { pictures, logger } = this.#deps;
    const asking = pictures
      .newest(camera, this.#over.signal)
      .then((picture) => (picture.jpeg.length <= largestPictureBytes ? picture : undefined))
      .catch((error: unknown) => {
        logger.debug('no picture for a webhook', { camera, why: asShoalError(error).message });
        return undefined;
      })
      .finally(() => this.#asked.delete(camera));
    this.#asked.set(camera, asking);
    return asking;
  }

  #put(record: WebhookRecord): Hook {
    const { clock, random, logger, sender } = this.#deps;
    const onGone = (reason: string) => this.#switchOff(hook, reason);
    const hook = { record, line: new DeliveryLine({ clock, random, logger, sender, onGone }, record) };
    this.#hooks.set(record.id, hook);
    return hook;
  }

  #switchOff(hook: Hook, reason: string): void {
    const { clock, logger } = this.#deps;
    const { id, url } = hook.record;
    logger.warn('a webhook is switched off', { webhook: id, url: shownUrl(url), why: reason });
    this.#change(hook, { ...hook.record, off: { atMs: clock.nowMs(), reason } }).catch((error: unknown) =>
      logger.warn('a webhook could not be switched off for good', { webhook: id, why: asShoalError(error).message }),
    );
  }

  async #change(hook: Hook, record: WebhookRecord): Promise<void> {
    // One that was removed meanwhile is not brought back.
    if (this.#hooks.get(record.id) !== hook) return;
    hook.record = record;
    await this.#deps.store.commit([{ kind: 'webhook', webhook: record }]);
  }

  #known(id: string): Hook {
    const hook = this.#hooks.get(id);
    if (!hook) throw new ShoalError('not-found', `there is no webhook ${id.slice(0, 64)}`);
    return hook;
  }
}

function wants({ off, types, camera, label, zone }: WebhookRecord, event: EventRecord, type: WebhookType): boolean {
  return (
    off === undefined &&
    types.includes(type) &&
    (camera ?? event.camera) === event.camera &&
    (label ?? event.label) === event.label &&
    (zone === undefined || Object.hasOwn(event.zones, zone))
  );
}

function viewOf({ record: { secret: _, ...record }, line }: Hook): WebhookView {
  return { ...record, url: shownUrl(record.url), ...line.counts };
}
