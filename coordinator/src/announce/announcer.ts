import { asShoalError, type Clock, every, type Logger, type SceneResult, type Service } from '@shoal/protocol';
import type { CameraView, Coordinator, EventRecord } from '../domain/index.ts';
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
/** More of the picture than this has to change for motion to be said. */
const motionShare = 0.002;

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
  /** Discovery topics of each camera that is known there. */
  readonly #announced = new Map<string, readonly string[]>();
  readonly #seen = new Map<string, Seen>();
  /** Cameras whose state was said a moment ago, and whether there is more to say. */
  readonly #resting = new Map<string, boolean>();
  readonly #lastTold = new Map<string, EventRecord>();
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
    this.#deps.publisher.publish(this.#topics.available, 'offline', { retain: true });
    await this.#deps.publisher.stop();
  }

  #sayAll(): void {
    this.#announced.clear();
    this.#deps.publisher.publish(this.#topics.available, 'online', { retain: true });
    if (this.#options.frigatePrefix !== undefined)
      this.#deps.publisher.publish(`${this.#options.frigatePrefix}/available`, 'online', { retain: true });
    this.#round();
  }

  #round(): void {
    const { publisher, coordinator } = this.#deps;
    const cameras = coordinator.cameras.list();
    for (const camera of cameras) {
      this.#discover(camera);
      this.#sayState(camera);
    }
    const ids = new Set(cameras.map(({ id }) => id));
    for (const [id, topics] of this.#announced) {
      if (ids.has(id)) continue;
      for (const topic of [...topics, this.#topics.state(id), this.#topics.picture(id)])
        publisher.publish(topic, '', { retain: true });
      this.#announced.delete(id);
      this.#seen.delete(id);
    }
  }

  /** Again whenever the camera has changed: what is retained is replaced. */
  #discover(camera: CameraView): void {
    const { discoveryPrefix } = this.#options;
    const { publisher } = this.#deps;
    const before = this.#announced.get(camera.id);
    const found = discoveryPrefix === undefined ? [] : discoveriesOf(camera, this.#topics, discoveryPrefix);
    const topics = found.map(({ topic }) => topic);
    if (before && before.join() === topics.join()) return;
    for (const { topic, payload } of found) publisher.publish(topic, payload, { retain: true });
    for (const topic of before ?? []) if (!topics.includes(topic)) publisher.publish(topic, '', { retain: true });
    this.#announced.set(camera.id, topics);
  }

  #sayState({ id, spec, status, device }: CameraView): void {
    const { motion, counts } = this.#seen.get(id) ?? nothing;
    const state = {
      ...{ enabled: spec.paused !== true, motion, counts, state: status?.state ?? 'waiting', device: device ?? null },
      ...{ fps: Number((status?.fps ?? 0).toFixed(1)), latency_p95_ms: Math.round(status?.latencyP95Ms ?? 0) },
    };
    this.#deps.publisher.publish(this.#topics.state(id), JSON.stringify(state), { retain: true });
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
    if (!camera) return;
    this.#sayState(camera);
    const { frigatePrefix } = this.#options;
    if (frigatePrefix === undefined) return;
    const { publisher } = this.#deps;
    const { motion, counts } = this.#seen.get(id) ?? nothing;
    const under = `${frigatePrefix}/${camera.spec.name}`;
    publisher.publish(`${under}/motion`, motion ? 'ON' : 'OFF', { retain: true });
    for (const [label, count] of Object.entries(counts)) publisher.publish(`${under}/${label}`, String(count));
  }

  async #followEvents(): Promise<void> {
    const { publisher, coordinator } = this.#deps;
    for await (const event of coordinator.events.watch({}, this.#over.signal)) {
      publisher.publish(this.#topics.events, JSON.stringify(eventPayload(event)));
      const before = this.#lastTold.get(event.id);
      if (event.endedAtMs === undefined) this.#lastTold.set(event.id, event);
      else this.#lastTold.delete(event.id);
      const { frigatePrefix } = this.#options;
      const name = this.#find(event.camera)?.spec.name ?? event.camera;
      if (frigatePrefix !== undefined) publisher.publish(`${frigatePrefix}/events`, frigateEvent(event, before, name));
      if (event.endedAtMs === undefined) this.#sayPicture(event.camera);
    }
  }

  /** What the camera sees just now, for whoever wants to show it. */
  #sayPicture(camera: string): void {
    const { publisher, coordinator, logger } = this.#deps;
    coordinator.pictures.newest(camera, this.#over.signal).then(
      ({ jpeg }) => publisher.publish(this.#topics.picture(camera), jpeg, { retain: true }),
      (error: unknown) => logger.debug('no picture to announce', { camera, why: asShoalError(error).message }),
    );
  }

  #setEnabled(topic: string, payload: string): void {
    const { coordinator, logger } = this.#deps;
    const camera = this.#find(this.#topics.cameraOf(topic));
    const wanted = payload.trim().toUpperCase();
    if (!camera || (wanted !== 'ON' && wanted !== 'OFF')) {
      logger.warn('a command is not understood: ON or OFF to a camera that there is', { topic: topic.slice(0, 128) });
      return;
    }
    const { paused: _, ...spec } = camera.spec;
    coordinator.cameras
      .update(camera.id, wanted === 'ON' ? spec : { ...spec, paused: true })
      .then(() => this.#sayStateOf(camera.id))
      .catch((error: unknown) =>
        logger.warn('a camera could not be changed', { camera: camera.id, why: asShoalError(error).message }),
      );
  }

  #find(id: string): CameraView | undefined {
    return this.#deps.coordinator.cameras.list().find((camera) => camera.id === id);
  }
}

function seenIn({ motion, tracks }: SceneResult): Seen {
  const counts = [...Map.groupBy(tracks, ({ label }) => label)].map(([label, all]) => [label, all.length] as const);
  return { motion: motion > motionShare, counts: Object.fromEntries(counts) };
}

/** As the REST API says it. */
function eventPayload({ startedAtMs, endedAtMs, ...event }: EventRecord) {
  return {
    ...event,
    state: endedAtMs === undefined ? 'active' : 'ended',
    startedAt: new Date(startedAtMs).toISOString(),
    ...(endedAtMs !== undefined && { endedAt: new Date(endedAtMs).toISOString() }),
  };
}
