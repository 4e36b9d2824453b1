import { type Clock, every, type SceneEvent, type SceneResult, ShoalError } from '@shoal/protocol';
import type { EventCount, EventFilter, EventRecord, Events, Page, PageOptions, ResultRecord } from '../domain/index.ts';
import { Followers } from '../following/index.ts';
import type { Store } from '../store/index.ts';
import { EventTally } from './event-tally.ts';

/** A camera that says nothing for so long does not see anybody any more, ms. It says at least every ten seconds that it looks. */
const silentMs = 120_000;
const sweepEveryMs = 30_000;
/** Two devices may see the same camera for a moment, while it moves: only then the former one's events have ended, ms. */
const handOverMs = 5_000;
/** Events of one camera that go on at the same time; a device that says more is not believed. */
const mostGoingOn = 200;
const longestLabel = 128;
const mostZones = 50;

interface GoingOn {
  record: EventRecord;
  /** When a result last named it: by its device's wall clock, and by this machine's monotonic one, ms. */
  seenAtMs: number;
  heardMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly store: Pick<Store, 'commit' | 'event' | 'events'>;
}

/**
 * What goes on before the cameras. Devices say in each result of a scene what started, changed and ended, and which events go on; an event that is not
 * among those any more has ended, whether its end was ever heard of or not.
 */
export class EventBook implements Events {
  readonly #deps: Deps;
  readonly #followers = new Followers<EventRecord>('events');
  readonly #goingOn = new Map<string, Map<string, GoingOn>>();
  readonly #tally = new EventTally();
  #stopSweeping = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Takes up those that went on when the coordinator ended. */
  load(goingOn: readonly EventRecord[]): void {
    const heardMs = this.#deps.clock.monotonicMs();
    for (const record of goingOn)
      this.#of(record.camera).set(record.id, { record, seenAtMs: record.startedAtMs, heardMs });
  }

  start(): void {
    this.#stopSweeping = every(this.#deps.clock, 'events: sweep', sweepEveryMs, () => this.#endSilent());
  }

  stop(): void {
    this.#stopSweeping();
  }

  async get(id: string): Promise<EventRecord> {
    const record = await this.#deps.store.event(id);
    if (!record) throw new ShoalError('not-found', `there is no event ${id.slice(0, 64)}`);
    return record;
  }

  list(options: PageOptions & EventFilter): Promise<Page<EventRecord>> {
    return this.#deps.store.events(options);
  }

  watch(filter: Pick<EventFilter, 'camera' | 'label'>, signal: AbortSignal): AsyncIterable<EventRecord> {
    const wants = ({ camera, label }: EventRecord) =>
      (filter.camera ?? camera) === camera && (filter.label ?? label) === label;
    return this.#followers.follow(wants, signal);
  }

  counts(camera: string): readonly EventCount[] {
    return this.#tally.of(camera);
  }

  /** What a result changes: to be made durable along with it, then {@link publish}ed. Taken twice, it changes the same again. */
  take({ id, device }: Pick<ResultRecord, 'id' | 'device'>, scene: SceneResult): readonly EventRecord[] {
    if (!scene.frame || !isTime(scene.frame.capturedAtMs)) return [];
    const { camera, capturedAtMs } = scene.frame;
    const goingOn = this.#of(camera);
    const named = new Set([...scene.tracks.flatMap(({ event }) => event ?? []), ...scene.unseen]);
    const changed: EventRecord[] = [];
    for (const event of scene.events) {
      named.add(event.id);
      const before = goingOn.get(event.id)?.record;
      if (!before && goingOn.size >= mostGoingOn) continue;
      if ((before && before.device !== device) || !isSound(event)) continue;
      const record = recordOf(event, { camera, device, picture: scene.picture, result: id, before });
      changed.push(record);
      if (!before) this.#tally.add(camera, record.label);
      if (event.phase === 'end') goingOn.delete(event.id);
      else goingOn.set(event.id, this.#heard(record, capturedAtMs));
    }
    for (const [event, entry] of goingOn) {
      const own = entry.record.device === device;
      if (own && named.has(event)) goingOn.set(event, this.#heard(entry.record, capturedAtMs));
      else if (capturedAtMs > entry.seenAtMs + (own ? 0 : handOverMs)) changed.push(this.#ended(entry));
    }
    if (goingOn.size === 0) this.#goingOn.delete(camera);
    return changed;
  }

  publish(records: readonly EventRecord[]): void {
    for (const record of records) this.#followers.tell(record);
  }

  /** Nobody looks at the camera any more. */
  endOf(camera: string): void {
    this.#tally.forget(camera);
    this.#keep([...(this.#goingOn.get(camera)?.values() ?? [])].map((entry) => this.#ended(entry)));
  }

  #endSilent(): void {
    const beforeMs = this.#deps.clock.monotonicMs() - silentMs;
    const silent = [...this.#goingOn.values()].flatMap((entries) =>
      [...entries.values()].filter(({ heardMs }) => heardMs < beforeMs),
    );
    this.#keep(silent.map((entry) => this.#ended(entry)));
  }

  /** An end that nobody waits for: when it is lost, it is found again after a restart. */
  #keep(ended: readonly EventRecord[]): void {
    if (ended.length === 0) return;
    void this.#deps.store
      .commit(ended.map((event) => ({ kind: 'event', event })))
      .then(() => this.publish(ended))
      .catch(() => {});
  }

  #ended({ record, seenAtMs }: GoingOn): EventRecord {
    this.#goingOn.get(record.camera)?.delete(record.id);
    return { ...record, endedAtMs: Math.max(seenAtMs, record.startedAtMs) };
  }

  #heard(record: EventRecord, seenAtMs: number): GoingOn {
    return { record, seenAtMs, heardMs: this.#deps.clock.monotonicMs() };
  }

  #of(camera: string): Map<string, GoingOn> {
    let goingOn = this.#goingOn.get(camera);
    if (!goingOn) {
      goingOn = new Map();
      this.#goingOn.set(camera, goingOn);
    }
    return goingOn;
  }
}

function recordOf(
  { id, label, track, startedAtMs, endedAtMs, zones, topScore, box }: SceneEvent,
  where: {
    readonly camera: string;
    readonly device: EventRecord['device'];
    readonly picture: EventRecord['picture'];
    readonly result: string;
    readonly before: EventRecord | undefined;
  },
): EventRecord {
  const { camera, device, picture, result, before } = where;
  return {
    ...{ id, camera, device, label, track, startedAtMs, zones, topScore, box, picture },
    ...(endedAtMs !== undefined && { endedAtMs }),
    firstResult: before?.firstResult ?? result,
    lastResult: result,
  };
}

/** What a device may say in it. Ids are as devices make them, and sort by the time of their start. */
function isSound({ id, label, zones, startedAtMs, endedAtMs = startedAtMs }: SceneEvent): boolean {
  return (
    /^evt_[0-9a-z]{25}$/.test(id) &&
    label.length <= longestLabel &&
    Object.keys(zones).length <= mostZones &&
    isTime(startedAtMs) &&
    isTime(endedAtMs)
  );
}

/** One that a date can say, ms since the Unix epoch. */
function isTime(ms: number): boolean {
  return ms >= 0 && ms <= 8.64e15;
}
