import type { SceneResult } from '@shoal/protocol';
import { silentLogger } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { Announcer } from '../../src/announce/announcer.ts';
import { discoveriesOf } from '../../src/announce/home-assistant.ts';
import type { TopicPublisher } from '../../src/announce/topic-publisher.ts';
import { topicsUnder } from '../../src/announce/topics.ts';
import type { CameraSpec, CameraView } from '../../src/domain/index.ts';
import { aCoordinator } from '../http/a-coordinator.ts';
import { never } from '../store/store.conformance.ts';

const aSpec = (change: Partial<CameraSpec> = {}): CameraSpec => ({
  ...{ name: 'Front door', source: 'rtsp://admin:hunter2@10.0.0.7/', pipeline: 'watch', targetFps: 5 },
  ...{ parameters: { labels: ['person'] }, loop: false, labels: {}, ...change },
});

/** A broker that remembers: what is retained, and all that was said. */
class Board implements TopicPublisher {
  readonly name = 'board';
  readonly retained = new Map<string, string>();
  readonly said: { readonly topic: string; readonly text: string }[] = [];
  readonly #hearing: { readonly filter: string; readonly hear: (topic: string, payload: string) => void }[] = [];
  readonly #onConnect: (() => void)[] = [];

  onConnect(action: () => void): void {
    this.#onConnect.push(action);
  }
  listen(filter: string, hear: (topic: string, payload: string) => void): void {
    this.#hearing.push({ filter, hear });
  }
  publish(topic: string, payload: string | Uint8Array, { retain = false } = {}): void {
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('latin1');
    this.said.push({ topic, text });
    if (retain && text === '') this.retained.delete(topic);
    else if (retain) this.retained.set(topic, text);
  }
  connect(): void {
    for (const action of this.#onConnect) action();
  }
  /** Somebody else says this. */
  hear(topic: string, payload: string): void {
    for (const { filter, hear } of this.#hearing)
      if (new RegExp(`^${filter.replace('+', '[^/]+')}$`).test(topic)) hear(topic, payload);
  }
  async start(): Promise<void> {
    this.connect();
  }
  async stop(): Promise<void> {}
  json(topic: string) {
    return JSON.parse(this.retained.get(topic) ?? 'null');
  }
}

async function anAnnouncer(options: { readonly frigate?: boolean } = {}) {
  const clock = new VirtualClock();
  const coordinator = aCoordinator();
  // Its device says that it watches.
  const { list, get } = coordinator.cameras;
  const watched = (camera: CameraView): CameraView => ({
    ...camera,
    status: { state: 'running', fps: 5, latencyP95Ms: 40 } as NonNullable<CameraView['status']>,
  });
  Object.assign(coordinator.cameras, { list: () => list().map(watched), get: (id: string) => watched(get(id)) });
  const { id } = await coordinator.cameras.create(aSpec());
  const board = new Board();
  const announcer = new Announcer(
    { clock, logger: silentLogger, publisher: board, coordinator },
    { prefix: 'shoal', discoveryPrefix: 'homeassistant', frigatePrefix: options.frigate ? 'frigate' : undefined },
  );
  await announcer.start(never);
  await clock.advance(10);
  const sees = (scene: Partial<SceneResult>) => {
    const empty = { motion: 0, looked: true, tracks: [], unseen: [], crossings: [], events: [] };
    coordinator.sees(id, {
      ...{ schema: 1, kind: 'scene', pipeline: 'watch', picture: { width: 640, height: 360 } },
      ...{ ...empty, frame: { camera: id, number: 1, capturedAtMs: startedAtMs }, ...scene },
    });
  };
  return { clock, coordinator, id, board, announcer, sees };
}

// What is told is of a moment ago: a device's clock that is years off is put right.
const startedAtMs = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
const timeOf = (ms: number) => new Date(startedAtMs + ms).toISOString();
const box = { x: 10, y: 20, width: 30, height: 60 };
const track = { track: 1, label: 'person', score: 0.9, box, zones: [] };
const event = (phase: 'start' | 'update' | 'end', change = {}) => ({
  ...{ id: `evt_${'0'.repeat(25)}`, phase, label: 'person', track: 1, startedAtMs },
  ...{ zones: { door: 100 }, topScore: 0.9, box, ...change },
});

describe('what is announced', () => {
  it('tells Home Assistant of each camera, retained, and shows no password', async () => {
    const { board, id } = await anAnnouncer();
    const motion = board.json(`homeassistant/binary_sensor/shoal_${id}/motion/config`);
    expect(motion).toMatchObject({
      device_class: 'motion',
      state_topic: `shoal/cameras/${id}/state`,
      availability_topic: 'shoal/announcer/available',
      unique_id: `shoal_${id}_motion`,
      device: { identifiers: [`shoal_${id}`], name: 'Front door' },
    });
    expect(board.json(`homeassistant/sensor/shoal_${id}/person_count/config`).value_template).toBe(
      "{{ value_json.counts['person'] | default(0) }}",
    );
    expect(board.json(`homeassistant/switch/shoal_${id}/enabled/config`).command_topic).toBe(
      `shoal/cameras/${id}/enabled/set`,
    );
    expect(board.retained.get('shoal/announcer/available')).toBe('online');
    expect(board.json(`shoal/cameras/${id}/state`)).toMatchObject({ enabled: true, motion: false, counts: {} });
    expect(JSON.stringify(board.said)).not.toContain('hunter2');
  });

  it('says who is there as soon as that changes, and not more than twice a second', async () => {
    const { board, id, sees, clock } = await anAnnouncer();
    sees({ motion: 0.1, tracks: [track] });
    await clock.advance(1);
    expect(board.json(`shoal/cameras/${id}/state`)).toMatchObject({ motion: true, counts: { person: 1 } });
    const before = board.said.length;
    for (let number = 2; number < 20; number++) {
      sees({ motion: 0.1, tracks: Array.from({ length: number }, () => track) });
      await clock.advance(20);
    }
    await clock.advance(1_000);
    expect(board.said.length - before).toBeLessThan(4);
    expect(board.json(`shoal/cameras/${id}/state`)).toMatchObject({ counts: { person: 19 } });
  });

  it('says each event whenever it starts and ends, in Frigate’s shape too when that is wanted', async () => {
    const { board, id, sees, clock } = await anAnnouncer({ frigate: true });
    sees({ events: [event('start')], tracks: [{ ...track, event: event('start').id }] });
    await clock.advance(10);
    sees({ events: [event('end', { endedAtMs: startedAtMs + 4_000 })] });
    await clock.advance(10);
    const said = (topic: string) => board.said.filter((one) => one.topic === topic).map(({ text }) => JSON.parse(text));
    expect(said('shoal/events')).toMatchObject([
      { camera: id, label: 'person', state: 'active', startedAt: timeOf(0) },
      { state: 'ended', endedAt: timeOf(4_000) },
    ]);
    expect(said('frigate/events')).toMatchObject([
      { type: 'new', after: { camera: 'Front door', label: 'person', end_time: null, box: [10, 20, 40, 80] } },
      {
        type: 'end',
        before: { end_time: null },
        after: { entered_zones: ['door'], end_time: startedAtMs / 1_000 + 4 },
      },
    ]);
    expect(board.retained.get('frigate/available')).toBe('online');
    await clock.advance(1_000);
    expect(board.said.findLast(({ topic }) => topic === 'frigate/Front door/person')?.text).toBe('0');
  });

  it('takes everything back when a camera is removed, and says all again when Home Assistant starts anew', async () => {
    const { board, id, coordinator, clock } = await anAnnouncer();
    const before = board.said.length;
    board.hear('homeassistant/status', 'online');
    expect(board.said.length - before).toBeGreaterThan(8);
    await coordinator.cameras.remove(id);
    await clock.advance(11_000);
    expect([...board.retained.keys()]).toEqual(['shoal/announcer/available']);
  });

  it('pauses a camera and takes it back as it is told, and nothing else', async () => {
    const { board, id, coordinator, clock, sees } = await anAnnouncer();
    sees({ motion: 0.1, tracks: [track] });
    board.hear(`shoal/cameras/${id}/enabled/set`, 'OFF');
    await clock.advance(10);
    const { revision } = coordinator.cameras.get(id);
    board.hear(`shoal/cameras/${id}/enabled/set`, 'OFF');
    await clock.advance(10);
    expect(coordinator.cameras.get(id).revision).toBe(revision);
    expect(coordinator.cameras.get(id).spec).toMatchObject({ paused: true, source: 'rtsp://admin:hunter2@10.0.0.7/' });
    expect(board.json(`shoal/cameras/${id}/state`)).toMatchObject({ enabled: false });
    board.hear(`shoal/cameras/${id}/enabled/set`, 'maybe');
    board.hear('shoal/cameras/cam_0/enabled/set', 'ON');
    await clock.advance(10);
    expect(coordinator.cameras.get(id).spec.paused).toBe(true);
    // Nobody moves any more where nobody looks.
    expect(board.json(`shoal/cameras/${id}/state`)).toMatchObject({ motion: false, counts: {} });
    board.hear(`shoal/cameras/${id}/enabled/set`, 'ON');
    await clock.advance(10);
    expect(coordinator.cameras.get(id).spec).toEqual(aSpec());
  });

  it('leaves “offline” behind, and no timer, when it stops', async () => {
    const { board, announcer, clock, sees } = await anAnnouncer();
    sees({ motion: 0.1 });
    await announcer.stop();
    expect(board.retained.get('shoal/announcer/available')).toBe('offline');
    await clock.advance(1_000);
    expect(clock.pending()).toEqual([]);
  });

  it('says nothing on a topic that a broker would not have, whatever a camera or a thing is called', async () => {
    const { board, coordinator, clock, id, sees } = await anAnnouncer({ frigate: true });
    await coordinator.cameras.update(id, aSpec({ name: 'yard #1/C++' }));
    sees({ tracks: [{ ...track, label: '#' }] });
    await clock.advance(11_000);
    expect(board.said.filter(({ topic }) => /[#+]/.test(topic))).toEqual([]);
    expect(board.retained.get('frigate/yard _1_C__/motion')).toBe('OFF');
    expect(board.json(`homeassistant/switch/shoal_${id}/enabled/config`).device.name).toBe('yard #1/C++');
  });

  it('takes the picture back that shows what is under a new mask', async () => {
    const { board, coordinator, clock, id, sees } = await anAnnouncer();
    sees({ events: [event('start')], tracks: [{ ...track, event: event('start').id }] });
    await clock.advance(1_000);
    expect(board.retained.has(`shoal/cameras/${id}/picture`)).toBe(true);
    await coordinator.cameras.update(
      id,
      aSpec({
        parameters: {
          masks: [
            [
              [0, 0],
              [1, 0],
              [1, 1],
            ],
          ],
        },
      }),
    );
    await clock.advance(11_000);
    expect(board.retained.has(`shoal/cameras/${id}/picture`)).toBe(false);
  });

  it('is safe for labels with anything in them', () => {
    const view = { id: 'cam_1', spec: aSpec({ parameters: { labels: ["o'clock }} {% x", 'Straße/7'] } }) } as never;
    const found = discoveriesOf(view, topicsUnder('shoal'), 'homeassistant');
    expect(found.every(({ topic }) => /^[\w/]+$/.test(topic))).toBe(true);
    const templates = found.map(({ payload }) => JSON.parse(payload).value_template).filter(Boolean);
    expect(templates.every((template: string) => template.match(/\}\}/g)?.length === 1)).toBe(true);
  });
});
