import { asShoalError, type Clock, every, type Logger, type SceneResult, type Service } from '@shoal/protocol';
import { type CameraView, type Coordinator, type EventRecord, eventAnswer } from '../domain/index.ts';
import { frigateEvent } from './frigate.ts';
import { discoveriesOf } from './home-assistant.ts';
import type { TopicPublisher } from './topic-publisher.ts';
import { type Topics, topicsUnder } from './topics.ts';

export interface AnnouncerOptions {
  /** First levels of our own topics. */
  readonly prefix: string;
  /** First level of Home Assistant's topics for discovery; `undefined`: it is told nothing. */
  readonly discoveryPrefix: string | undefined;
  /** First level of topics in Frigate's shapes; `undefined`: none. */
  readonly frigatePrefix: string | undefined;
}

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisher: TopicPublisher;
  readonly coordinator: Pick<Coordinator, 'cameras' | 'events' | 'results' | 'pictures'>;
}

/** How often it is looked for new and removed cameras, and all of them say how they do, ms. */
const roundEveryMs = 10_000;
/** A camera says what it sees at most so often, ms. */
const stateEveryMs = 500;
/** Events that go on, as they were last told: so many are remembered. */
const mostTold = 1_000;

interface Seen {
  readonly motion: boolean;
  readonly counts: { readonly [label: string]: number };
}

const nothing: Seen = { motion: false, counts: {} };

/** Says on a broker of others what goes on before the cameras, so that home automation can act on it, and does what it is told there: pause a camera. */
export class Announcer implements Service {
  readonly name = 'announcer';
  readonly #deps: Deps;
  readonly #options: AnnouncerOptions;
  readonly #topics: Topics;
  readonly #over = new AbortController();
  /** What Home Assistant was told of each camera: by topic. */
  readonly #announced = new Map<string, ReadonlyMap<string, string>>();
  readonly #seen = new Map<string, Seen>();
  /** Cameras whose state was said a moment ago, and whether there is more to say. */
  readonly #resting = new Map<string, boolean>();
  readonly #lastTold = new Map<string, EventRecord>();
  /** Labels that were counted for Frigate, by camera: those that are gone are said to be none. */
  readonly #counted = new Map<string, ReadonlySet<string>>();
  /** Masks that the picture on the broker was made with, by camera; cameras whose picture is being had. */
  readonly #masks = new Map<string, string>();
  readonly #picturing = new Set<string>();
  #stopRounds = () => {};
  #following: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps, options: AnnouncerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#topics = topicsUnder(options.prefix);
    const { publisher } = deps;
    publisher.listen(this.#topics.enabledSetFilter, (topic, payload) => this.#setEnabled(topic, payload));
    publisher.onConnect(() => this.#sayAll());
    // Home Assistant was started again: it has forgotten what is not retained.
    if (options.discoveryPrefix !== undefined)
      publisher.listen(`${options.discoveryPrefix}/status`, (_topic, payload) => {
        if (payload === 'online') this.#sayAll();
      });
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#deps.publisher.start(signal);
    this.#stopRounds = every(this.#deps.clock, 'announcer: round', roundEveryMs, () => this.#round());
    this.#following = Promise.all([this.#followEvents(), this.#followScenes()]).catch((error: unknown) => {
      if (!this.#over.signal.aborted)
        this.#deps.logger.error('nothing is announced any more', { error: asShoalError(error).message });
    });
  }

  async stop(): Promise<void> {
    this.#stopRounds();
    this.#over.abort();
    await this.#following;
    this.#sayAvailable('offline');
    await this.#deps.publisher.stop();
  }

  #sayAvailable(word: 'online' | 'offline'): void {
    const { frigatePrefix } = this.#options;
    for (const topic of [
      this.#topics.available,
      ...(frigatePrefix === undefined ? [] : [`${frigatePrefix}/available`]),
    ])
      this.#deps.publisher.publish(topic, word, { retain: true });
  }

  /** To a broker, or a Home Assistant, that may have forgotten everything. */
  #sayAll(): void {
    this.#sayAvailable('online');
    for (const camera of this.#announced.keys()) this.#announced.set(camera, new Map());
    this.#round();
  }

  #round(): void {
    const cameras = this.#deps.coordinator.cameras.list();
    for (const camera of cameras) {
      this.#discover(camera);
      this.#sayState(camera);
    }
    const ids = new Set(cameras.map(({ id }) => id));
    for (const id of this.#announced.keys()) if (!ids.has(id)) this.#takeBack(id);
  }

  #takeBack(id: string): void {
    const { publisher } = this.#deps;
    const topics = this.#announced.get(id)?.keys() ?? [];
    for (const topic of [...topics, this.#topics.state(id), this.#topics.picture(id)])
      publisher.publish(topic, '', { retain: true });
    for (const known of [this.#announced, this.#seen, this.#counted, this.#masks]) known.delete(id);
  }

  /** Again whenever it would be another: what is retained is replaced. */
  #discover(camera: CameraView): void {
    const { discoveryPrefix } = this.#options;
    const { publisher } = this.#deps;
    const before = this.#announced.get(camera.id) ?? new Map<string, string>();
    const found = discoveryPrefix === undefined ? [] : discoveriesOf(camera, this.#topics, discoveryPrefix);
    const now = new Map(found.map(({ topic, payload }) => [topic, payload]));
    for (const [topic, payload] of now)
      if (before.get(topic) !== payload) publisher.publish(topic, payload, { retain: true });
    for (const topic of before.keys()) if (!now.has(topic)) publisher.publish(topic, '', { retain: true });
    this.#announced.set(camera.id, now);
  }

  #sayState(camera: CameraView): void {
    const { id, spec, status, device } = camera;
    this.#hideWhatIsMasked(camera);
    // What was seen last is not so any more once nobody looks.
    const isWatched = spec.paused !== true && status?.state === 'running';
    const { motion, counts } = (isWatched && this.#seen.get(id)) || nothing;
    const state = {
      ...{ enabled: spec.paused !== true, motion, counts, state: status?.state ?? 'waiting', device: device ?? null },
      ...{ fps: Number((status?.fps ?? 0).toFixed(1)), latency_p95_ms: Math.round(status?.latencyP95Ms ?? 0) },
    };
    this.#deps.publisher.publish(this.#topics.state(id), JSON.stringify(state), { retain: true });
    this.#sayToFrigate(camera, { motion, counts });
  }

  /** The picture that is retained may show what is under new masks, or what goes on where nobody is to look. */
  #hideWhatIsMasked({ id, spec }: CameraView): void {
    const masks = JSON.stringify([spec.parameters['masks'] ?? [], spec.paused === true]);
    if ((this.#masks.get(id) ?? masks) !== masks)
      this.#deps.publisher.publish(this.#topics.picture(id), '', { retain: true });
    this.#masks.set(id, masks);
  }

  #sayToFrigate({ id, spec }: CameraView, { motion, counts }: Seen): void {
    const { frigatePrefix } = this.#options;
    if (frigatePrefix === undefined) return;
    const { publisher } = this.#deps;
    const under = `${frigatePrefix}/${level(spec.name)}`;
    publisher.publish(`${under}/motion`, motion ? 'ON' : 'OFF', { retain: true });
    const labels = new Set([...Object.keys(counts), ...(this.#counted.get(id) ?? [])]);
    for (const label of labels) publisher.publish(`${under}/${level(label)}`, String(counts[label] ?? 0));
    this.#counted.set(id, new Set(Object.keys(counts)));
  }

  async #followScenes(): Promise<void> {
    for await (const { result } of this.#deps.coordinator.results.watch({}, this.#over.signal)) {
      if (result.kind !== 'scene' || !result.frame) continue;
      const before = this.#seen.get(result.frame.camera) ?? nothing;
      const now = seenIn(result);
      this.#seen.set(result.frame.camera, now);
      if (JSON.stringify(before) !== JSON.stringify(now)) this.#changed(result.frame.camera);
    }
  }

  /** Says it at once, and then not for a while: what changes meanwhile is said at the end of it. */
  #changed(camera: string): void {
    if (this.#resting.has(camera)) {
      this.#resting.set(camera, true);
      return;
    }
    this.#sayStateOf(camera);
    this.#resting.set(camera, false);
    this.#deps.clock.after('announcer: state', stateEveryMs, () => {
      const more = this.#resting.get(camera) === true;
      this.#resting.delete(camera);
      if (more && !this.#over.signal.aborted) this.#changed(camera);
    });
  }

  #sayStateOf(id: string): void {
    const camera = this.#find(id);
    if (camera) this.#sayState(camera);
  }

  async #followEvents(): Promise<void> {
    const { publisher, coordinator } = this.#deps;
    for await (const event of coordinator.events.watch({}, this.#over.signal)) {
      publisher.publish(this.#topics.events, JSON.stringify(eventAnswer(event)));
      const before = this.#lastTold.get(event.id);
      if (event.endedAtMs === undefined) this.#remember(event);
      else this.#lastTold.delete(event.id);
      const { frigatePrefix } = this.#options;
      const name = this.#find(event.camera)?.spec.name ?? event.camera;
      if (frigatePrefix !== undefined) publisher.publish(`${frigatePrefix}/events`, frigateEvent(event, before, name));
      if (event.endedAtMs === undefined) this.#sayPicture(event.camera);
    }
  }

  #remember(event: EventRecord): void {
    this.#lastTold.set(event.id, event);
    if (this.#lastTold.size > mostTold) this.#lastTold.delete(this.#lastTold.keys().next().value ?? '');
  }

  /** What the camera sees just now, for whoever wants to show it. */
  #sayPicture(camera: string): void {
    const { publisher, coordinator, logger } = this.#deps;
    if (this.#picturing.has(camera)) return;
    this.#picturing.add(camera);
    coordinator.pictures
      .newest(camera, this.#over.signal)
      .then(
        ({ jpeg }) => publisher.publish(this.#topics.picture(camera), jpeg, { retain: true }),
        (error: unknown) => logger.debug('no picture to announce', { camera, why: asShoalError(error).message }),
      )
      .finally(() => this.#picturing.delete(camera));
  }

  #setEnabled(topic: string, payload: string): void {
    const { coordinator, logger } = this.#deps;
    const camera = this.#find(this.#topics.cameraOf(topic));
    const wanted = payload.trim().toUpperCase();
    if (!camera || (wanted !== 'ON' && wanted !== 'OFF')) {
      logger.warn('a command is not understood: ON or OFF to a camera that there is', { topic: topic.slice(0, 128) });
      return;
    }
    // Each change begins the camera anew: what changes nothing is none.
    if ((camera.spec.paused === true) === (wanted === 'OFF')) return;
    const { paused: _, ...spec } = camera.spec;
    coordinator.cameras
      .update(camera.id, wanted === 'ON' ? spec : { ...spec, paused: true })
      .then(() => this.#sayStateOf(camera.id))
      .catch((error: unknown) =>
        logger.warn('a camera could not be changed', { camera: camera.id, why: asShoalError(error).message }),
      );
  }

  #find(id: string): CameraView | undefined {
    try {
      return this.#deps.coordinator.cameras.get(id);
    } catch {
      return undefined;
    }
  }
}

/** One level of a topic: without what means something there. */
function level(text: string): string {
  return text.replace(/[#+/\0]/g, '_');
}

function seenIn({ motion, tracks }: SceneResult): Seen {
  const counts = [...Map.groupBy(tracks, ({ label }) => label)].map(([label, all]) => [label, all.length] as const);
  return { motion: motion > 0, counts: Object.fromEntries(counts) };
}
