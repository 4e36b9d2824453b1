import { confidenceOf, fingerprintOf, MemoryAgentStore, ProfileBook } from '@shoal/agent';
import { silentLogger, VariantProfile } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aFleet, aTask } from '../support/a-fleet.ts';

describe('how sure a profile is', () => {
  it('grows with samples, falls with their spread, and stays between 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.float({ min: 0, max: 10, noNaN: true }), (samples, spread) => {
        const confidence = confidenceOf(samples, spread);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
        expect(confidenceOf(samples + 1, spread)).toBeGreaterThanOrEqual(confidence);
        expect(confidenceOf(samples, spread + 0.1)).toBeLessThanOrEqual(confidence);
      }),
    );
    expect(confidenceOf(0, 0)).toBe(0);
    expect(confidenceOf(30, 0.02)).toBeGreaterThan(0.85);
  });
});

it('a fingerprint changes with the software and the hardware, not with the name', () => {
  const machine = { hostName: 'a', software: 'x/1', cores: 4, cpuModel: 'cpu' };
  const same = fingerprintOf({ ...machine, hostName: 'b' });
  expect(fingerprintOf(machine)).toBe(same);
  expect(fingerprintOf({ ...machine, software: 'x/2' })).not.toBe(same);
  expect(fingerprintOf({ ...machine, cores: 2 })).not.toBe(same);
});

describe('the profile book', () => {
  const aBook = async () => {
    const clock = new VirtualClock();
    const book = new ProfileBook({ store: new MemoryAgentStore().profiles, clock, logger: silentLogger });
    const profile = VariantProfile.decode(
      VariantProfile.encode({ model: 'm', variant: 'v', engine: 'e', p50Ms: 10, p95Ms: 12, samples: 30 }),
    );
    await book.keep(profile, 'here');
    const changes: number[] = [];
    book.onChange((changed) => changes.push(...changed.map(({ p50Ms }) => p50Ms)));
    return { clock, book, changes };
  };

  it('follows a device that has become slower, and says so once', async () => {
    const { book, changes, clock } = await aBook();
    for (let run = 0; run < 40; run++) {
      await clock.advance(500);
      book.observe('m', 'v', 25);
    }
    expect(changes).toEqual([25]);
    expect(book.find('m', 'v')).toMatchObject({ p50Ms: 25, p95Ms: 25 });
  });

  it('is not moved by one slow run, nor by noise', async () => {
    const { book, changes, clock } = await aBook();
    for (let run = 0; run < 100; run++) {
      await clock.advance(500);
      book.observe('m', 'v', run === 50 ? 500 : 10 + (run % 2));
    }
    expect(changes).toEqual([]);
  });

  it('knows when the file, the software or the hardware is another', async () => {
    const { book } = await aBook();
    expect(book.isFresh('m', 'v', new Uint8Array(), 'here')).toBe(true);
    expect(book.isFresh('m', 'v', new Uint8Array(), 'elsewhere')).toBe(false);
    expect(book.isFresh('m', 'v', Uint8Array.of(1), 'here')).toBe(false);
    expect(book.isFresh('m', 'other', new Uint8Array(), 'here')).toBe(false);
  });
});

describe('the profiler', () => {
  it('measures what is held when the device is idle, reports it, and does not measure it again after a restart', async () => {
    const { clock, coordinator, agent, make, machine } = await aFleet();
    await clock.until(coordinator.until(() => coordinator.profiles.length > 0));
    expect(coordinator.profiles[0]?.profiles[0]).toMatchObject({
      model: 'tiny',
      variant: 'int8',
      engine: 'simulated',
      p50Ms: 20,
      p95Ms: 20,
      loadMs: 100,
      samples: 30,
    });
    expect(agent.status().loadedModels).toEqual([]);
    await agent.stop();
    const again = make();
    await again.start(new AbortController().signal);
    await clock.advance(60_000);
    expect(coordinator.hellos.at(-1)?.profiles).toHaveLength(1);
    expect(coordinator.profiles).toHaveLength(1);
    await again.stop();
    machine.cores = 2;
    const moved = make();
    await moved.start(new AbortController().signal);
    await clock.advance(60_000);
    expect(coordinator.profiles).toHaveLength(2);
  });
});

describe('the profiler beside a camera that always runs', () => {
  const minuteMs = 60_000;
  const aWatchingFleet = async () => {
    const fleet = await aFleet({ variants: ['int8', 'fp16', 'fp32'], config: { profiler: { settleMs: 10_000 } } });
    fleet.videos.scripts = [[{ kind: 'frames', count: 1_000_000, everyMs: 1_000 }]];
    const camera = { cameraId: 'cam_1', revision: 1, pipeline: 'detect', model: 'tiny', variant: 'int8', targetFps: 1 };
    const source = 'rtsp://door/stream';
    await fleet.clock.until(fleet.coordinator.assign(fleet.agent.id, { ...camera, source }));
    const measured = () => fleet.coordinator.profiles.flatMap(({ profiles }) => profiles);
    return { ...fleet, measured };
  };

  it('measures one variant every two minutes, briefly, each once', async () => {
    const { clock, measured, coordinator, agent } = await aWatchingFleet();
    const countAfter = [];
    for (let minute = 1; minute <= 10; minute++) {
      await clock.advance(minuteMs);
      countAfter.push(measured().length);
    }
    expect(countAfter).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 3, 3]);
    expect(measured().map(({ variant }) => variant)).toEqual(['int8', 'fp16', 'fp32']);
    expect(Math.max(...measured().map(({ samples }) => samples))).toBe(8);
    // The camera goes on at its own pace: a frame comes a second after the last one was done, which takes 20 ms.
    expect(coordinator.reports.length).toBeGreaterThan((0.99 * 10 * minuteMs) / 1_020);
    expect(agent.status().cameras?.[0]).toMatchObject({ state: 'running', restarts: 0 });
  });

  it('is less than half as sure of it and says nothing of energy, and measures it again when the camera is gone', async () => {
    const { clock, measured, coordinator, agent } = await aWatchingFleet();
    await clock.advance(10 * minuteMs);
    for (const { confidence, energyMj } of measured()) {
      expect(confidence).toBeGreaterThan(0);
      expect(confidence).toBeLessThan(0.5);
      expect(energyMj).toBeNull();
    }
    await clock.until(coordinator.removeCamera(agent.id, 'cam_1'));
    await clock.advance(minuteMs);
    expect(measured()).toHaveLength(6);
    expect(Math.min(...agent.status().profiles.map(({ confidence }) => confidence))).toBeGreaterThan(0.9);
  });

  it('measures what it could not measure beside the camera when that is gone', async () => {
    const { clock, measured, coordinator, agent, machine } = await aWatchingFleet();
    const { measureEnergy } = machine;
    machine.measureEnergy = async () => {
      throw new Error('there is no memory left');
    };
    await clock.advance(10 * minuteMs);
    expect(measured()).toHaveLength(0);
    machine.measureEnergy = measureEnergy;
    await clock.until(coordinator.removeCamera(agent.id, 'cam_1'));
    await clock.advance(minuteMs);
    expect(measured()).toHaveLength(3);
  });

  it('does not measure it again after a restart while the camera still runs', async () => {
    const { clock, measured, agent, make } = await aWatchingFleet();
    await clock.advance(10 * minuteMs);
    await clock.until(agent.stop());
    const again = make();
    await again.start(new AbortController().signal);
    await clock.advance(10 * minuteMs);
    expect(measured()).toHaveLength(3);
  });

  it('waits while there are tasks', async () => {
    const { clock, measured, coordinator, agent } = await aWatchingFleet();
    const { assignment } = aTask();
    coordinator.servesBlobs = false;
    await clock.until(coordinator.offer(agent.id, { ...assignment, timeLeftMs: 4 * minuteMs }));
    await clock.advance(3 * minuteMs);
    expect(measured()).toHaveLength(0);
    await clock.advance(3 * minuteMs);
    expect(measured()).not.toHaveLength(0);
  });
});
