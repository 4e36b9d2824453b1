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

const longestZone = 64;
/** Ended events that are remembered. */
const mostEnded = 10_000;
/** Clocks of two devices may differ by this, ms. */
const mostClockErrorMs = 60_000;
/** An event may have started so long before it was heard of, and so long after by a wrong clock; ms. */
const oldestMs = 90 * 86_400_000;
const newestMs = 86_400_000;

interface GoingOn {
  readonly record: EventRecord;
  /** When a result last named it: by its device's wall clock, and by this machine's monotonic one, ms. */
  readonly seenAtMs: number;
  readonly heardMs: number;
}

/** What a result tells of events. */
export interface EventChanges {
  /** To be made durable along with the result. */
  readonly changed: readonly EventRecord[];
  /** Takes it in, and tells those who follow. */
  keep(): void;
}

const noChanges: EventChanges = { changed: [], keep: () => {} };

interface Deps {
  readonly clock: Clock;
  readonly store: Pick<Store, 'commit' | 'event' | 'events' | 'resultsOfCamera'>;
}

/**
 * What goes on before the cameras. Devices say in each result of a scene what started, changed and ended, and which events go on; an event that is not
 * among those any more has ended, whether its end was ever heard of or not.
 */
export class EventBook implements Events {
  readonly #deps: Deps;
  readonly #followers = new Followers<EventRecord>('events');
  readonly #goingOn = new Map<string, Map<string, GoingOn>>();
  /** Those that have ended lately: what comes late does not open them again. */
  readonly #ended = new Set<string>();
  readonly #tally = new EventTally();
  #stopSweeping = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Takes up those that went on when the coordinator ended. They were seen until the last result of their camera. */
  async load(goingOn: readonly EventRecord[]): Promise<void> {
    for (const [camera, records] of Map.groupBy(goingOn, (record) => record.camera)) {
      const { items } = await this.#deps.store.resultsOfCamera(camera, { limit: 1 });
      const lastMs = items[0]?.receivedAtMs ?? 0;
      for (const record of records) this.#keepOne(record, Math.max(record.startedAtMs, lastMs));
    }
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

  /** What a result changes. Nothing of it counts before `keep` is called, which is when it is durable; taken again, it is the same. */
  take(
    { id, device, receivedAtMs }: Pick<ResultRecord, 'id' | 'device' | 'receivedAtMs'>,
    scene: SceneResult,
  ): EventChanges {
    if (!scene.frame || !isTime(scene.frame.capturedAtMs)) return noChanges;
    const { camera } = scene.frame;
    const shiftMs = shiftOf(scene.frame.capturedAtMs, receivedAtMs);
    const capturedAtMs = scene.frame.capturedAtMs + shiftMs;
    const goingOn = this.#goingOn.get(camera) ?? new Map<string, GoingOn>();
    const named = new Set([...scene.tracks.flatMap(({ event }) => event ?? []), ...scene.unseen]);
    const told: EventRecord[] = [];
    const begun: EventRecord[] = [];
    for (const event of scene.events.slice(0, mostGoingOn).map((said) => shifted(said, shiftMs))) {
      named.add(event.id);
      const before = goingOn.get(event.id)?.record;
      const isNew = before === undefined && event.phase !== 'end';
      if (isNew && (goingOn.size + told.length >= mostGoingOn || this.#ended.has(event.id))) continue;
      if ((before && before.device !== device) || !isSound(event, receivedAtMs)) continue;
      const record = recordOf(event, { camera, device, picture: scene.picture, result: id, before });
      told.push(record);
      if (before === undefined && !this.#ended.has(record.id)) begun.push(record);
    }
    const nowMs = this.#deps.clock.monotonicMs();
    const missing = [...goingOn.values()].filter(({ record, seenAtMs, heardMs }) =>
      record.device === device
        ? !named.has(record.id) && capturedAtMs > seenAtMs
        : heardMs < nowMs - handOverMs && capturedAtMs > seenAtMs - mostClockErrorMs,
    );
    const ended = missing.map(endOf);
    return {
      changed: [...told, ...ended],
      keep: () => {
        for (const [event, entry] of goingOn)
          if (entry.record.device === device && named.has(event))
            goingOn.set(event, { ...entry, seenAtMs: capturedAtMs, heardMs: nowMs });
        for (const record of [...told, ...ended]) this.#keepOne(record, capturedAtMs);
        for (const { label } of begun) this.#tally.add(camera, label);
        this.#publish([...told, ...ended]);
      },
    };
  }

  /** Nobody looks at the camera any more. */
  endOf(camera: string): void {
    this.#tally.forget(camera);
    this.#end([...(this.#goingOn.get(camera)?.values() ?? [])]);
  }

  #endSilent(): void {
    const beforeMs = this.#deps.clock.monotonicMs() - silentMs;
    this.#end(
      [...this.#goingOn.values()].flatMap((entries) =>
        [...entries.values()].filter(({ heardMs }) => heardMs < beforeMs),
      ),
    );
  }

  /** One that cannot be kept goes on, and is ended by the next sweep. */
  #end(entries: readonly GoingOn[]): void {
    if (entries.length === 0) return;
    const ended = entries.map(endOf);
    void this.#deps.store
      .commit(ended.map((event) => ({ kind: 'event', event })))
      .then(() => {
        for (const record of ended) this.#keepOne(record, record.startedAtMs);
        this.#publish(ended);
      })
      .catch(() => {});
  }

  #keepOne(record: EventRecord, seenAtMs: number): void {
    const goingOn = this.#goingOn.get(record.camera) ?? new Map<string, GoingOn>();
    if (record.endedAtMs === undefined) {
      goingOn.set(record.id, { record, seenAtMs, heardMs: this.#deps.clock.monotonicMs() });
      this.#goingOn.set(record.camera, goingOn);
      return;
    }
    goingOn.delete(record.id);
    if (goingOn.size === 0) this.#goingOn.delete(record.camera);
    this.#ended.add(record.id);
    if (this.#ended.size > mostEnded) this.#ended.delete(this.#ended.values().next().value ?? '');
  }

  #publish(records: readonly EventRecord[]): void {
    for (const record of records) this.#followers.tell(record);
  }
}

/** What a device's clock is put right by, ms: nothing, unless it is days off, as that of a board that has not heard the time yet. */
function shiftOf(capturedAtMs: number, receivedAtMs: number): number {
  const isPlausible = capturedAtMs > receivedAtMs - oldestMs && capturedAtMs < receivedAtMs + newestMs;
  return isPlausible ? 0 : receivedAtMs - capturedAtMs;
}

function shifted(event: SceneEvent, byMs: number): SceneEvent {
  const { startedAtMs, endedAtMs } = event;
  return {
    ...event,
    startedAtMs: startedAtMs + byMs,
    ...(endedAtMs !== undefined && { endedAtMs: endedAtMs + byMs }),
  };
}

/** It ended when it was last seen. */
function endOf({ record, seenAtMs }: GoingOn): EventRecord {
  return { ...record, endedAtMs: Math.max(seenAtMs, record.startedAtMs) };
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
function isSound(
  { id, label, zones, startedAtMs, endedAtMs = startedAtMs }: SceneEvent,
  receivedAtMs: number,
): boolean {
  return (
    /^evt_[0-9a-z]{25}$/.test(id) &&
    label.length <= longestLabel &&
    Object.keys(zones).length <= mostZones &&
    Object.keys(zones).every((zone) => zone.length <= longestZone) &&
    isTime(startedAtMs) &&
    isTime(endedAtMs) &&
    startedAtMs > receivedAtMs - oldestMs &&
    Math.max(startedAtMs, endedAtMs) < receivedAtMs + newestMs
  );
}

/** One that a date can say, ms since the Unix epoch. */
function isTime(ms: number): boolean {
  return ms >= 0 && ms <= 8.64e15;
}
