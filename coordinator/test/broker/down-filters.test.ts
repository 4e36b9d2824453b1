import { newIdentity, seededRandom } from '@shoal/protocol';
import { topicsOf } from '@shoal/protocol/mqtt';
import { Aedes } from 'aedes';
import { expect, it } from 'vitest';
import { keepNoDownFilters } from '../../src/broker/down-filters.ts';

const { down, available } = topicsOf('shoal', newIdentity('device', seededRandom(1)).id);

it('keeps no filter of what is said to a device, and looks for nothing retained for it; all others as before', async () => {
  const aedes = await Aedes.createBroker();
  const inside = aedes as unknown as {
    persistence: { createRetainedStreamCombi(filters: string[]): AsyncIterable<{ topic: string }> };
  };
  let looked = 0;
  const { persistence } = inside;
  const retained = persistence.createRetainedStreamCombi.bind(persistence);
  persistence.createRetainedStreamCombi = (filters) => {
    looked += 1;
    return retained(filters);
  };
  keepNoDownFilters(aedes, 'shoal');
  const heard: string[] = [];
  const subscribe = (topic: string) =>
    new Promise<void>((resolve) => {
      const hears = (packet: { topic: string }, done: () => void) => {
        heard.push(packet.topic);
        done();
      };
      aedes.subscribe(topic, hears, resolve);
    });
  await subscribe(down);
  await subscribe(available);
  for (const topic of [down, available]) {
    const packet = { cmd: 'publish', topic, payload: 'online', retain: true, qos: 0, dup: false } as const;
    await new Promise<void>((resolve) => aedes.publish(packet, () => resolve()));
  }
  expect(heard).toEqual([available]);
  persistence.createRetainedStreamCombi([down]);
  expect(looked).toBe(0);
  const found: string[] = [];
  for await (const { topic } of persistence.createRetainedStreamCombi([available])) found.push(topic);
  expect(found).toEqual([available]);
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
});
