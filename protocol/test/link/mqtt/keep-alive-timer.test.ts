import type { Socket } from 'node:net';
import { VirtualClock } from '@shoal/protocol/testing';
import { KeepaliveManager, type MqttClient } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { keepAliveTimer } from '../../../src/link/mqtt/keep-alive-timer.ts';

/** MQTT.js's own keep-alive of 20 s on a virtual clock. What it does is written down with the second at which it did it. */
function aKeepAlive() {
  const clock = new VirtualClock();
  const line = { bytesRead: 0 };
  const done: string[] = [];
  const note = (what: string) => () => done.push(`${what} ${clock.monotonicMs() / 1000}`);
  const client = { keepalive: 20, sendPing: note('asks'), onKeepaliveTimeout: note('gives up'), log: () => {} };
  const keepAlive = new KeepaliveManager(
    client as unknown as MqttClient,
    keepAliveTimer(clock, line as unknown as Socket),
  );
  return { clock, line, done, keepAlive };
}

describe('the keep-alive of an MQTT connection', () => {
  it('asks a silent broker after its time, and gives up after twice that', async () => {
    const { clock, done } = aKeepAlive();
    await clock.advance(40_000);
    expect(done).toEqual(['asks 20', 'gives up 40']);
  });

  it('asks again and again while there are answers', async () => {
    const { clock, done, keepAlive } = aKeepAlive();
    for (let round = 0; round < 3; round++) {
      await clock.advance(21_000);
      keepAlive.reschedule();
    }
    expect(done).toEqual(['asks 20', 'asks 41', 'asks 62']);
  });

  it('waits for an answer behind a large frame for as long as bytes come', async () => {
    const { clock, line, done } = aKeepAlive();
    for (let second = 0; second < 600; second++) {
      line.bytesRead += 1;
      await clock.advance(1000);
    }
    expect(done).toEqual(['asks 20']);
    await clock.advance(40_000);
    expect(done).toEqual(['asks 20', 'gives up 640']);
  });

  it('leaves no timer behind', async () => {
    const { clock, keepAlive } = aKeepAlive();
    await clock.advance(25_000);
    keepAlive.reschedule();
    expect(clock.pending()).toEqual(['mqtt: keep alive']);
    keepAlive.destroy();
    expect(clock.pending()).toEqual([]);
  });
});
