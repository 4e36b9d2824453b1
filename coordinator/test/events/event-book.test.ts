import type { SceneEvent, SceneResult, SceneTrack } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/domain/index.ts';
import { EventBook } from '../../src/events/index.ts';
import { MemoryDisk, MemoryStore } from '../../src/store/memory/index.ts';
import { startMs } from '../support/builders.ts';

const idOf = (number: number) => `evt_${String(number).padStart(25, '0')}`;
const box = { x: 10, y: 20, width: 30, height: 60 };
const picture = { width: 640, height: 360 };

const event = (number: number, phase: SceneEvent['phase'], change: Partial<SceneEvent> = {}): SceneEvent => ({
  ...{ id: idOf(number), phase, label: 'person', track: number, startedAtMs: startMs, zones: {}, topScore: 0.8, box },
  ...change,
});

const track = (number: number): SceneTrack => ({
  ...{ track: number, label: 'person', score: 0.8, box, zones: [], event: idOf(number) },
});

function aBook(disk = new MemoryDisk()) {
  const clock = new VirtualClock({ startMs });
  const store = new MemoryStore(clock, disk);
  const book = new EventBook({ clock, store });
  let results = 0;
  return {
    ...{ clock, store, book, disk },
    /** A result of a camera, so many seconds after the start. Returns what it changed. */
    result(seconds: number, scene: Partial<SceneResult>, device = 'dev_a', kept = true): readonly EventRecord[] {
      const frame = { camera: 'cam_1', number: ++results, capturedAtMs: startMs + seconds * 1_000 };
      const what = { motion: 0, looked: true, tracks: [], unseen: [], crossings: [], events: [], ...scene };
      const { changed, keep } = book.take(
        { id: `res_${results}`, device, receivedAtMs: startMs + seconds * 1_000 },
        { schema: 1, kind: 'scene', pipeline: 'watch', picture, frame, ...what },
      );
      if (kept) keep();
      return changed;
    },
  };
}

describe('the book of events', () => {
  it('keeps a stay from its start to its end, with the results that told of it', () => {
    const { result } = aBook();
    const [started] = result(0, { events: [event(1, 'start')], tracks: [track(1)] });
    expect(started).toMatchObject({ id: idOf(1), camera: 'cam_1', device: 'dev_a', firstResult: 'res_1', picture });
    expect(started).not.toHaveProperty('endedAtMs');
    expect(result(1, { tracks: [track(1)] })).toEqual([]);
    const [better] = result(2, { events: [event(1, 'update', { zones: { door: 100 } })], tracks: [track(1)] });
    expect(better).toMatchObject({ zones: { door: 100 }, firstResult: 'res_1', lastResult: 'res_3' });
    const [ended] = result(5, { events: [event(1, 'end', { endedAtMs: startMs + 4_000 })] });
    expect(ended).toMatchObject({ endedAtMs: startMs + 4_000, firstResult: 'res_1', lastResult: 'res_4' });
    expect(result(6, {})).toEqual([]);
  });

  it('takes an event that is not named any more for ended when it was last seen: its end got lost', () => {
    const { result } = aBook();
    result(0, { events: [event(1, 'start'), event(2, 'start')], tracks: [track(1), track(2)] });
    result(3, { tracks: [track(1)], unseen: [idOf(2)] });
    const ended = result(4, { tracks: [track(1)] });
    expect(ended).toMatchObject([{ id: idOf(2), endedAtMs: startMs + 3_000 }]);
  });

  it('does not let an older result, that comes late, end what is newer', () => {
    const { result } = aBook();
    result(10, { events: [event(1, 'start', { startedAtMs: startMs + 10_000 })], tracks: [track(1)] });
    expect(result(4, {})).toEqual([]);
    expect(result(4, {}, 'dev_b')).toEqual([]);
  });

  it("ends the former device's events once another one watches the camera", async () => {
    const { result, clock } = aBook();
    result(0, { events: [event(1, 'start')], tracks: [track(1)] });
    // Both watch it for a moment.
    expect(result(2, { events: [event(2, 'start')], tracks: [track(2)] }, 'dev_b')).toHaveLength(1);
    await clock.advance(6_000);
    const [ended] = result(8, { tracks: [track(2)] }, 'dev_b');
    expect(ended).toMatchObject({ id: idOf(1), device: 'dev_a', endedAtMs: startMs });
  });

  it('ends what goes on before a camera that has said nothing for two minutes, and before one that is removed', async () => {
    const { result, book, clock, store } = aBook();
    book.start();
    result(0, { events: [event(1, 'start')], tracks: [track(1)] });
    await clock.advance(110_000);
    result(110, { tracks: [track(1)] });
    await clock.advance(110_000);
    expect(await store.event(idOf(1))).toBeUndefined();
    await clock.advance(40_000);
    expect(await store.event(idOf(1))).toMatchObject({ endedAtMs: startMs + 110_000 });
    result(300, { events: [event(2, 'start', { startedAtMs: startMs + 300_000 })], tracks: [track(2)] });
    book.endOf('cam_1');
    await clock.advance(10);
    expect(await store.event(idOf(2))).toMatchObject({ endedAtMs: startMs + 300_000 });
    book.stop();
    expect(clock.pending()).toEqual([]);
  });

  it('goes on after a restart', async () => {
    const before = aBook();
    const [started] = before.result(0, { events: [event(1, 'start')], tracks: [track(1)] });
    if (!started) throw new Error('nothing started');
    await before.clock.until(before.store.commit([{ kind: 'event', event: started }]));
    const { book, store, result } = aBook(before.disk);
    await book.load((await store.load()).eventsGoingOn);
    expect(result(9, { tracks: [] })).toMatchObject([{ id: idOf(1), firstResult: 'res_1', endedAtMs: startMs }]);
  });

  it('says the same again when what it said could not be kept', () => {
    const { result } = aBook();
    result(0, { events: [event(1, 'start'), event(2, 'start')], tracks: [track(1), track(2)] });
    const first = result(4, { tracks: [track(1)] }, 'dev_a', false);
    expect(first).toMatchObject([{ id: idOf(2), endedAtMs: startMs }]);
    expect(result(4, { tracks: [track(1)] })).toEqual(first);
    expect(result(5, { tracks: [track(1)] })).toEqual([]);
  });

  it('is not opened again by what comes late', () => {
    const { result } = aBook();
    result(0, { events: [event(1, 'start')], tracks: [track(1)] });
    result(3, { events: [event(1, 'end', { endedAtMs: startMs + 2_000 })] });
    expect(result(2, { events: [event(1, 'update', { topScore: 0.99 })], tracks: [track(1)] })).toEqual([]);
  });

  it('puts the times of a device right whose clock has never been set', () => {
    const { result } = aBook();
    const years = -50 * 365 * 86_400_000;
    const [started] = result(10, {
      events: [event(1, 'start', { startedAtMs: startMs + 8_000 + years })],
      tracks: [track(1)],
      frame: { camera: 'cam_1', number: 1, capturedAtMs: startMs + 10_000 + years },
    });
    expect(started?.startedAtMs).toBe(startMs + 8_000);
  });

  it.each([
    ['an id that no device makes', { id: 'evt_1' }],
    ['an id with a path in it', { id: `evt_../${'a'.repeat(22)}` }],
    ['a start that no date can say', { startedAtMs: 1e300 }],
    ['a start before all time', { startedAtMs: -1 }],
    ['an end that no date can say', { endedAtMs: 9e15 }],
    ['a label of a book', { label: 'x'.repeat(200) }],
  ])('does not believe %s', (_, change) => {
    const { result } = aBook();
    expect(result(0, { events: [event(1, 'start', change)], tracks: [] })).toEqual([]);
  });

  it("leaves another device's event alone", () => {
    const { result } = aBook();
    result(0, { events: [event(1, 'start')], tracks: [track(1)] });
    expect(result(1, { events: [event(1, 'update', { label: 'ghost' })] }, 'dev_b')).toEqual([]);
  });

  it('follows at most two hundred before one camera', () => {
    const { result } = aBook();
    const many = Array.from({ length: 300 }, (_, number) => event(number, 'start'));
    expect(result(0, { events: many, tracks: many.map((one) => track(one.track)) })).toHaveLength(200);
    expect(result(1, {})).toHaveLength(200);
  });

  it('tells those who follow what is durable, of their camera and label only', async () => {
    const { book, result, clock } = aBook();
    const over = new AbortController();
    const heard: string[] = [];
    const following = (async () => {
      for await (const { track: number, label } of book.watch({ camera: 'cam_1', label: 'dog' }, over.signal))
        heard.push(`${label} ${number}`);
    })();
    await clock.advance(1);
    result(0, { events: [event(1, 'start'), event(2, 'start', { label: 'dog' })], tracks: [] });
    await clock.advance(1);
    over.abort();
    await following;
    expect(heard).toEqual(['dog 2']);
  });
});
