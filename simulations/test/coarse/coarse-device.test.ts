import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { CoarseDevice } from '../../src/coarse/coarse-device.ts';
import { EventQueue } from '../../src/coarse/event-queue.ts';
import { deviceClasses, links } from '../../src/fleet/index.ts';

describe('a coarse device that crashes', () => {
  it('brings nothing to an end that it had begun or that waited, and loads its model again', () => {
    const events = new EventQueue();
    const known = undefined as never;
    const group = { class: 'pi-4', count: 1, labels: {}, link: links.ethernet } as const;
    const timeline = { wallMs: () => events.nowMs, after: (ms: number, act: () => void) => events.after(ms, act) };
    const device = new CoarseDevice(known, group, deviceClasses['pi-4'], seededRandom(1), timeline);
    const done: [name: string, loadMs: number][] = [];
    const give = (name: string) =>
      device.give({
        model: 'efficientdet-lite0',
        variant: 'int8',
        isOver: () => false,
        onLeft: () => expect.fail('nothing is left'),
        onDone: ({ loadMs }) => done.push([name, loadMs]),
      });
    give('first');
    events.run(2_000);
    give('begun');
    give('waiting');
    device.fail();
    expect([device.running, device.queued, device.loaded]).toEqual([0, 0, []]);
    device.recover();
    give('after');
    events.run(10_000);
    expect(done).toEqual([
      ['first', 800],
      ['after', 800],
    ]);
  });
});
