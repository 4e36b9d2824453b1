import { type Link, Messenger, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';
import { expect, it } from 'vitest';

it('refuses attachments beyond 32 MiB for a peer that reads nothing, and goes on with small messages', async () => {
  const clock = new VirtualClock();
  const identity = newIdentity('coordinator', seededRandom(1));
  const link: Link = {
    kind: 'memory',
    name: 'a link that never takes anything',
    traits: { maxFrameBytes: 1 << 20, reliable: true, ordered: true, duplex: true },
    start: async () => {},
    stop: async () => {},
    send: () => new Promise(() => {}),
    subscribe: () => () => {},
  };
  const refused: unknown[] = [];
  const logger = {
    ...silentLogger,
    warn: (_: string, fields?: Readonly<Record<string, unknown>>) => refused.push(fields?.['code']),
  };
  const messenger = new Messenger({
    identity,
    link,
    peers: { keyOf: () => undefined },
    sequences: new MemorySequenceStore(),
    clock,
    logger,
  });
  await messenger.start(new AbortController().signal);
  const piece = new Uint8Array(512 << 10);
  for (let count = 0; count < 200; count++) {
    messenger.send('dev_slow', { payload: { blobChunk: {} }, attachments: [piece] });
  }
  await clock.advance(10);
  messenger.send('dev_slow', { payload: { goodbye: { reason: 'small' } } });
  await clock.advance(10);
  // 64 pieces of half a MiB wait; one frame of them may be on its way.
  expect(refused.length).toBeGreaterThanOrEqual(200 - 66);
  expect(new Set(refused)).toEqual(new Set(['queue.full']));
  await messenger.stop();
});
