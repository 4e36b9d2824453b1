import type { TelemetryInit } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { FleetNews } from '../../src/domain/index.ts';
import { aWorld, type World } from '../support/world.ts';

/** Somebody who follows the fleet: what it was told, in order, as a few words each. */
function aFollower(world: World) {
  const gone = new AbortController();
  const heard: string[] = [];
  const news: FleetNews[] = [];
  const over = (async () => {
    for await (const each of world.coordinator.devices.watch(gone.signal)) {
      news.push(each);
      if (each.kind === 'snapshot') heard.push(`snapshot of ${each.devices.length}`);
      else heard.push(`${each.kind} ${each.device.name} ${each.device.presence}`);
    }
  })();
  return {
    heard,
    news,
    async leave() {
      gone.abort();
      await over;
    },
  };
}

describe('who follows the fleet', () => {
  it('hears of all of it, and within a second who joins, is renamed, cut off, back, silent and put out', async () => {
    const world = await aWorld();
    const follower = aFollower(world);
    await world.clock.advance(1);
    expect(follower.heard.splice(0)).toEqual(['snapshot of 0']);

    const device = await world.joined();
    await world.clock.advance(1_000);
    expect(follower.heard.splice(0)).toEqual(['joined pi online']);

    await world.clock.until(world.coordinator.devices.update(device.id, { name: 'door' }));
    await world.clock.advance(1_000);
    expect(follower.heard.splice(0)).toEqual(['changed door online']);

    await device.link.stop();
    await world.clock.advance(1_000);
    expect(follower.heard.splice(0)).toEqual(['changed door suspect']);

    await device.link.start(new AbortController().signal);
    await world.clock.until(device.hello());
    await world.clock.advance(1_000);
    expect(follower.heard.splice(0)).toEqual(['changed door online']);

    await world.clock.until(world.coordinator.devices.revoke(device.id));
    await world.clock.advance(1_000);
    expect(follower.heard.splice(0)).toEqual(['left door offline']);
    await follower.leave();
  });

  it('hears of a battery by the percent, and of a link of a device that goes down or up, not of what never stands still', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const follower = aFollower(world);
    const links = (up: boolean, rttMs: number) => [
      { kind: 'mqtt', up, inUse: up, rttMs, loss: 0 },
      { kind: 'coap', up: true, inUse: !up, rttMs, loss: 0 },
    ];
    const say = async (telemetry: TelemetryInit) => {
      device.telemetry({ telemetry });
      await world.clock.advance(1_000);
      return follower.news.splice(0).map((each) => each.kind !== 'snapshot' && each.device.telemetry);
    };
    await world.clock.advance(1);
    follower.news.length = 0;
    expect(await say({ batteryPct: 80.2, links: links(true, 3), cpuLoad: 0.1 })).toMatchObject([{ batteryPct: 80.2 }]);
    expect(await say({ batteryPct: 80.1, links: links(true, 9), cpuLoad: 0.9 })).toEqual([]);
    expect(await say({ batteryPct: 78, links: links(true, 9), cpuLoad: 0.9 })).toMatchObject([{ batteryPct: 78 }]);
    expect(await say({ batteryPct: 78, links: links(false, 9), cpuLoad: 0.9 })).toMatchObject([
      {
        links: [
          { kind: 'mqtt', up: false },
          { kind: 'coap', inUse: true },
        ],
      },
    ]);
    await follower.leave();
  });

  it('and reads slowly hears how a device is then, once, however often it changed', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const gone = new AbortController();
    const reading = world.coordinator.devices.watch(gone.signal)[Symbol.asyncIterator]();
    await reading.next();
    const next = reading.next();
    for (let percent = 90; percent > 10; percent--) {
      device.telemetry({ telemetry: { batteryPct: percent } });
      await world.clock.advance(1);
    }
    const { value } = await world.clock.until(next);
    expect(value).toMatchObject({ kind: 'changed', device: { id: device.id, telemetry: { batteryPct: 11 } } });
    const nothing = reading.next();
    await world.clock.advance(1_000);
    gone.abort();
    expect(await nothing).toEqual({ done: true, value: undefined });
  });

  it('is refused when too many do; who leaves makes room', async () => {
    const world = await aWorld();
    const followers = Array.from({ length: 256 }, () => aFollower(world));
    await world.clock.advance(1);
    const late = () => world.coordinator.devices.watch(new AbortController().signal)[Symbol.asyncIterator]();
    await expect(late().next()).rejects.toMatchObject({ code: 'queue.full' });
    await followers[0]?.leave();
    expect(await late().next()).toMatchObject({ value: { kind: 'snapshot' } });
    for (const follower of followers.slice(1)) await follower.leave();
  });
});
