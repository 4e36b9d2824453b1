import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { EventFilter } from '../../src/domain/index.ts';
import type { Store } from '../../src/store/index.ts';
import {
  aCamera,
  aDeviceRecord,
  aDigest,
  anEndedTask,
  anEvent,
  aPlacement,
  aReport,
  aResult,
  aSpec,
  aTask,
  aTokenRecord,
  aWebhook,
  startMs,
} from '../support/builders.ts';

export const never = new AbortController().signal;

/** A place where stores keep things, one after the other. */
export interface StoreWorld {
  /** A started store on what is there. */
  open(clock: VirtualClock): Promise<Store>;
  /** The process of this store dies: what was not committed is lost. */
  crash(store: Store): Promise<void>;
}

const dayMs = 86_400_000;
const generous = {
  endedTasks: 1_000,
  endedTaskAgeMs: dayMs,
  cameraResults: 1_000,
  cameraResultAgeMs: dayMs,
  events: 1_000,
  eventAgeMs: dayMs,
};

/** What every {@link Store} has to do. */
export function storeConformance(name: string, aWorld: () => StoreWorld): void {
  describe(`${name}: a store`, () => {
    const opened = async () => {
      const world = aWorld();
      const clock = new VirtualClock({ startMs });
      const store = await world.open(clock);
      const again = async () => {
        await world.crash(store);
        return world.open(clock);
      };
      return { clock, store, again };
    };

    it('gives back every record as it was committed, after a crash too', async () => {
      const { clock, store, again } = await opened();
      const task = aTask({
        idempotencyKey: 'k',
        spec: aSpec({ input: { digest: aDigest('x'), sizeBytes: 1, mediaType: 'image/jpeg' } }),
        state: 'running',
        reason: 'runs',
        attempts: [
          { id: 'att_1', device: 'dev_a', state: 'accepted', startedAtMs: startMs, placement: aPlacement('dev_a') },
        ],
      });
      const charging = [{ fromMinute: 420, toMinute: 1_020, watts: 12 }];
      const device = aDeviceRecord({ power: { floorPct: 40, mainsOnly: true, charging }, sealed: true });
      const waiting = aDeviceRecord({ id: 'dev_b', pending: true });
      const former = aDeviceRecord({ id: 'dev_c', revoked: true, followedBy: 'dev_d' });
      const now = aDeviceRecord({ id: 'dev_d', follows: { device: 'dev_c', proof: Uint8Array.of(1, 2) } });
      const { endedAtMs: _, ...goingOn } = anEvent(2, { zones: { door: 1_200 } });
      const token = aTokenRecord({ approve: true });
      const apiKey = { id: 'key_1', name: 'shell', sha256: Uint8Array.of(1, 2), createdAtMs: startMs };
      const webhook = aWebhook();
      const gone = aWebhook({ id: 'whk_2', camera: 'cam_1', off: { atMs: startMs, reason: 'it answered 410' } });
      const blob = { digest: aDigest('x'), sizeBytes: 1, mediaType: 'image/jpeg', lastUsedMs: startMs };
      await clock.until(
        store.commit([
          ...[device, waiting, former, now].map((record) => ({ kind: 'device', device: record }) as const),
          { kind: 'token', token },
          { kind: 'camera', camera: aCamera() },
          { kind: 'event', event: anEvent(1) },
          { kind: 'event', event: goingOn },
          { kind: 'api-key', apiKey },
          { kind: 'webhook', webhook },
          { kind: 'webhook', webhook: aWebhook({ id: 'whk_2' }) },
          { kind: 'webhook', webhook: gone },
          { kind: 'webhook', webhook: aWebhook({ id: 'whk_3' }) },
          { kind: 'webhook-removed', id: 'whk_3' },
          { kind: 'blob', blob },
          { kind: 'task', task },
          { kind: 'result', result: aResult() },
        ]),
      );
      const next = await again();
      expect(await next.load()).toEqual({
        devices: [device, waiting, former, now],
        tokens: [token],
        cameras: [aCamera()],
        eventsGoingOn: [goingOn],
        apiKeys: [apiKey],
        webhooks: [webhook, gone],
        unfinishedTasks: [task],
      });
      expect(await next.task(task.id)).toEqual(task);
      expect(await next.taskByIdempotencyKey('k')).toEqual(task);
      expect(await next.resultOfTask('tsk_1')).toEqual(aResult());
      expect(await next.blob(blob.digest)).toEqual(blob);
    });

    it('forgets in a crash what was never committed, and nothing else', async () => {
      const { clock, store, again } = await opened();
      await clock.until(store.commit([{ kind: 'task', task: aTask() }]));
      void store.commit([{ kind: 'task', task: aTask({ id: 'tsk_2' }) }]).catch(() => {});
      store.defer({ kind: 'task', task: aTask({ state: 'running' }) });
      const next = await again();
      expect((await next.load()).unfinishedTasks).toEqual([aTask()]);
    });

    it('writes what arrives in one turn as one transaction', async () => {
      const { clock, store } = await opened();
      const before = store.counts.commits;
      const commits = Array.from({ length: 50 }, (_, n) =>
        store.commit([{ kind: 'task', task: aTask({ id: `tsk_${n}` }) }]),
      );
      await clock.until(Promise.all(commits));
      expect(store.counts.commits - before).toBe(1);
      expect((await store.load()).unfinishedTasks).toHaveLength(50);
    });

    it('writes a great many commits in several transactions, so that none takes long', async () => {
      const { clock, store } = await opened();
      const commits = Array.from({ length: 1_100 }, (_, n) =>
        store.commit([{ kind: 'task', task: aTask({ id: `tsk_${n}` }) }]),
      );
      await clock.until(Promise.all(commits));
      expect(store.counts.commits).toBe(3);
    });

    it('lets a commit with patience wait for another one, and not for ever', async () => {
      const { clock, store } = await opened();
      const before = store.counts.commits;
      const patient = store.commit([{ kind: 'task', task: aTask({ id: 'tsk_1' }) }], 1_000);
      await clock.advance(100);
      expect(store.counts.commits - before).toBe(0);
      await clock.until(store.commit([{ kind: 'task', task: aTask({ id: 'tsk_2' }) }]));
      await patient;
      expect(store.counts.commits - before).toBe(1);
      const startMs = clock.monotonicMs();
      await clock.until(store.commit([{ kind: 'task', task: aTask({ id: 'tsk_3' }) }], 1_000));
      expect(clock.monotonicMs() - startMs).toBe(1_000);
      expect((await store.load()).unfinishedTasks.map(({ id }) => id)).toEqual(['tsk_1', 'tsk_2', 'tsk_3']);
      expect(clock.pending()).toEqual([]);
    });

    it('writes a deferred change with the next commit, or after a moment', async () => {
      const { clock, store } = await opened();
      await clock.until(store.commit([{ kind: 'task', task: aTask() }]));
      store.defer({ kind: 'task', task: aTask({ state: 'running' }) });
      await clock.until(store.commit([{ kind: 'token', token: aTokenRecord() }]));
      expect((await store.task('tsk_1'))?.state).toBe('running');
      store.defer({ kind: 'task', task: aTask({ state: 'queued' }) });
      await clock.advance(1_000);
      expect((await store.task('tsk_1'))?.state).toBe('queued');
    });

    it('never lets a deferred change undo a later commit of the same record', async () => {
      const { clock, store } = await opened();
      store.defer({ kind: 'task', task: aTask({ state: 'running' }) });
      await clock.until(store.commit([{ kind: 'task', task: anEndedTask(1, { id: 'tsk_1' }) }]));
      await clock.advance(1_000);
      expect((await store.task('tsk_1'))?.state).toBe('succeeded');
    });

    it('keeps the first result of a task, and of a report, and leaves a second one out', async () => {
      const { clock, store } = await opened();
      await clock.until(store.commit([{ kind: 'result', result: aResult() }]));
      await clock.until(store.commit([{ kind: 'result', result: aResult({ id: 'res_2', device: 'dev_other' }) }]));
      expect(await store.resultOfTask('tsk_1')).toEqual(aResult());
      await clock.until(store.commit([{ kind: 'result', result: aReport(7) }]));
      await clock.until(store.commit([{ kind: 'result', result: aReport(7, { id: 'res_9' }) }]));
      const { items } = await store.resultsOfCamera('cam_1', { limit: 10 });
      expect(items).toEqual([aReport(7)]);
      expect(await store.resultOfCamera('cam_1', aReport(7).id)).toEqual(aReport(7));
      expect(await store.resultOfCamera('cam_1', 'res_9')).toBeUndefined();
      expect(await store.resultOfCamera('cam_2', aReport(7).id)).toBeUndefined();
    });

    it('knows the reports of a camera by number', async () => {
      const { clock, store } = await opened();
      const device = aReport(1).device;
      expect(await store.highestReport('cam_1', device)).toBe(0);
      await clock.until(store.commit([1, 2, 5].map((n) => ({ kind: 'result', result: aReport(n) }))));
      expect(await store.highestReport('cam_1', device)).toBe(5);
      expect(await store.highestReport('cam_1', 'dev_other')).toBe(0);
      expect(await store.hasReport('cam_1', device, 2)).toBe(true);
      expect(await store.hasReport('cam_1', device, 3)).toBe(false);
    });

    it('gives lists in pages, newest first, each item once', async () => {
      const { clock, store } = await opened();
      const tasks = Array.from({ length: 25 }, (_, n) =>
        n % 5 === 0 ? aTask({ id: `tsk_${String(n).padStart(6, '0')}` }) : anEndedTask(n),
      );
      await clock.until(store.commit(tasks.map((task) => ({ kind: 'task', task }))));
      const all = async (state?: 'queued') => {
        const ids: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.tasks({ limit: 7, ...(cursor && { cursor }), ...(state && { state }) });
          expect(page.items.length).toBeLessThanOrEqual(7);
          ids.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
        } while (cursor);
        return ids;
      };
      const newestFirst = tasks.map(({ id }) => id).reverse();
      expect(await all()).toEqual(newestFirst);
      expect(await all('queued')).toEqual(newestFirst.filter((_, index) => (24 - index) % 5 === 0));
    });

    it('ends a page without a cursor when the last item is on it', async () => {
      const { clock, store } = await opened();
      await clock.until(store.commit([1, 2].map((n) => ({ kind: 'task', task: anEndedTask(n) }))));
      expect((await store.tasks({ limit: 2 })).nextCursor).toBeUndefined();
    });

    it('lists events newest first, by camera, label, zone and time', async () => {
      const { clock, store } = await opened();
      const events = [
        anEvent(1),
        anEvent(2, { camera: 'cam_2', label: 'dog' }),
        anEvent(3, { zones: { door: 500, gate: 1 } }),
        anEvent(4, { zones: { gate: 1 } }),
      ];
      await clock.until(store.commit(events.map((event) => ({ kind: 'event', event }))));
      const found = async (filter: EventFilter, limit = 10) =>
        (await store.events({ limit, ...filter })).items.map(({ track }) => track);
      expect(await found({})).toEqual([4, 3, 2, 1]);
      expect(await found({ camera: 'cam_1' })).toEqual([4, 3, 1]);
      expect(await found({ label: 'dog' })).toEqual([2]);
      expect(await found({ zone: 'door' })).toEqual([3]);
      expect(await found({ camera: 'cam_1', zone: 'gate', label: 'person' }, 1)).toEqual([4]);
      expect(await found({ fromMs: startMs + 2, toMs: startMs + 4 })).toEqual([3, 2]);
      const first = await store.events({ limit: 3 });
      const rest = await store.events({ limit: 3, ...(first.nextCursor && { cursor: first.nextCursor }) });
      expect(rest.items.map(({ track }) => track)).toEqual([1]);
      expect(await store.event(anEvent(3).id)).toEqual(events[2]);
      expect(await store.event('evt_none')).toBeUndefined();
    });

    it('keeps the newest word about an event, and no other device overwrites it', async () => {
      const { clock, store } = await opened();
      const { endedAtMs: _, ...goingOn } = anEvent(1);
      await clock.until(store.commit([{ kind: 'event', event: goingOn }]));
      expect((await store.load()).eventsGoingOn).toEqual([goingOn]);
      await clock.until(store.commit([{ kind: 'event', event: anEvent(1, { topScore: 0.95 }) }]));
      await clock.until(store.commit([{ kind: 'event', event: anEvent(1, { device: 'dev_b', label: 'ghost' }) }]));
      expect(await store.event(goingOn.id)).toEqual(anEvent(1, { topScore: 0.95 }));
      expect((await store.load()).eventsGoingOn).toEqual([]);
    });

    it('deletes events that are too many or too old', async () => {
      const { clock, store } = await opened();
      const numbers = Array.from({ length: 30 }, (_, n) => n + 1);
      await clock.until(store.commit(numbers.map((n) => ({ kind: 'event', event: anEvent(n) }))));
      expect(await store.prune({ ...generous, events: 20 }, startMs + 100, 4)).toBe(4);
      expect(await store.prune({ ...generous, events: 20 }, startMs + 100, 100)).toBe(6);
      expect(await store.prune({ ...generous, eventAgeMs: 75 }, startMs + 100, 100)).toBe(14);
      expect((await store.events({ limit: 100 })).items.map(({ track }) => track)).toEqual([30, 29, 28, 27, 26, 25]);
    });

    it('deletes ended tasks and reports that are too many, the oldest first, a batch at a time', async () => {
      const { clock, store } = await opened();
      const numbers = Array.from({ length: 30 }, (_, n) => n + 1);
      await clock.until(store.commit(numbers.map((n) => ({ kind: 'task', task: anEndedTask(n) }))));
      await clock.until(store.commit(numbers.map((n) => ({ kind: 'result', result: aReport(n) }))));
      await clock.until(store.commit([{ kind: 'task', task: aTask({ id: 'tsk_live' }) }]));
      const few = { ...generous, endedTasks: 10, cameraResults: 25 };
      expect(await store.prune(few, startMs + 100, 15)).toBe(20);
      expect(await store.prune(few, startMs + 100, 15)).toBe(5);
      expect(await store.prune(few, startMs + 100, 15)).toBe(0);
      expect((await store.tasks({ limit: 100 })).items.at(-1)?.id).toBe('tsk_000021');
      expect((await store.resultsOfCamera('cam_1', { limit: 100 })).items).toHaveLength(25);
      expect(await store.task('tsk_live')).toBeDefined();
    });

    it('deletes what is too old, the result along with its task', async () => {
      const { clock, store } = await opened();
      const old = anEndedTask(1);
      const work = { task: old.id, attempt: 'att_1' };
      await clock.until(
        store.commit([
          { kind: 'task', task: old },
          { kind: 'result', result: aResult({ work }) },
          { kind: 'result', result: aReport(1) },
          { kind: 'task', task: anEndedTask(2, { endedAtMs: startMs + dayMs }) },
        ]),
      );
      expect(await store.prune(generous, startMs + dayMs + 5, 100)).toBe(2);
      expect(await store.task(old.id)).toBeUndefined();
      expect(await store.resultOfTask(old.id)).toBeUndefined();
      expect((await store.tasks({ limit: 9 })).items).toHaveLength(1);
    });

    it('lists blobs by when they were last used, and forgets one that is removed', async () => {
      const { clock, store } = await opened();
      const blob = (n: number) => ({
        digest: aDigest(`${n}`),
        sizeBytes: n,
        mediaType: 'image/png',
        lastUsedMs: startMs + n,
      });
      await clock.until(store.commit([3, 1, 2].map((n) => ({ kind: 'blob', blob: blob(n) }))));
      expect(await store.unusedBlobs(startMs + 3, 10)).toEqual([blob(1), blob(2)]);
      expect(await store.unusedBlobs(startMs + 3, 1)).toEqual([blob(1)]);
      await clock.until(store.commit([{ kind: 'blob-removed', digest: blob(1).digest }]));
      expect(await store.blob(blob(1).digest)).toBeUndefined();
    });

    it('keeps what a camera was given, where it was before, and all that is asked of it', async () => {
      const { spec, ...rest } = aCamera();
      const camera = {
        ...rest,
        spec: { ...spec, priority: 9, p95Ms: 120, substream: 'rtsp://10.0.0.9/small' },
        device: 'dev_b',
        grant: { model: 'tiny-detector', variant: 'int8', decode: 'skip' as const, fps: 2.5 },
        moves: [
          { atMs: dayMs, from: 'dev_a', to: 'dev_b', reason: 'too hot', gapMs: 250 },
          { atMs: dayMs, from: 'dev_b', to: 'dev_a', reason: 'drained' },
        ],
      };
      const { clock, store, again } = await opened();
      await clock.until(store.commit([{ kind: 'camera', camera }]));
      expect((await (await again()).load()).cameras).toEqual([camera]);
    });

    it('forgets a token, an API key and a camera that are removed', async () => {
      const { clock, store, again } = await opened();
      const apiKey = { id: 'key_1', name: 'shell', sha256: Uint8Array.of(1), createdAtMs: startMs };
      await clock.until(
        store.commit([
          { kind: 'token', token: aTokenRecord() },
          { kind: 'api-key', apiKey },
          { kind: 'camera', camera: aCamera() },
        ]),
      );
      await clock.until(
        store.commit([
          { kind: 'token-removed', id: 'tok_1' },
          { kind: 'api-key-removed', id: 'key_1' },
          { kind: 'camera-removed', id: 'cam_1' },
        ]),
      );
      expect(await (await again()).load()).toMatchObject({ tokens: [], apiKeys: [], cameras: [] });
    });

    it('never gives a sequence out twice, whenever the process dies', async () => {
      const { clock, store, again } = await opened();
      const first = await clock.until(store.sequences.reserve(100));
      const second = await clock.until(store.sequences.reserve(100));
      expect(second).toBe(first + 100);
      const next = await again();
      expect(await clock.until(next.sequences.reserve(100))).toBeGreaterThanOrEqual(second + 100);
    });

    it('remembers received sequences along with the next commit', async () => {
      const { clock, store, again } = await opened();
      store.sequences.recordReceived('dev_a', 41);
      expect(store.sequences.lastReceived('dev_a')).toBe(41);
      await clock.until(store.commit([{ kind: 'task', task: aTask() }]));
      store.sequences.recordReceived('dev_a', 42);
      const next = await again();
      expect(next.sequences.lastReceived('dev_a')).toBe(41);
      expect(next.sequences.lastReceived('dev_b')).toBe(0);
    });

    it('writes what is left when it is stopped, and takes nothing afterwards', async () => {
      const { clock, store, again } = await opened();
      store.defer({ kind: 'task', task: aTask() });
      await clock.until(store.stop());
      await expect(store.commit([])).rejects.toMatchObject({ code: 'closed' });
      expect((await (await again()).load()).unfinishedTasks).toEqual([aTask()]);
    });
  });
}
