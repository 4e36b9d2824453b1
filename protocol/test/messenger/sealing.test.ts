import { Envelope, Body, payloadOf } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aPair } from './builders.ts';

const ask = { timeoutMs: 60_000 };
const sealed = { device: {}, coordinator: {} };

describe('sealed messages', () => {
  it('are answered, and nobody on the way reads more than the offer of a session and its answer', async () => {
    const pair = await aPair({ seal: sealed });
    const kinds: (string | undefined)[] = [];
    const hear = (frame: Uint8Array) => {
      const { messages, seal } = Body.decode(Envelope.decode(frame).body);
      kinds.push(...(seal ? ['sealed'] : messages.map((message) => payloadOf(message)?.kind)));
      expect(Buffer.from(frame).includes('porch')).toBe(false);
    };
    pair.deviceLink.subscribe({ onFrame: hear, onPeer: () => {} });
    pair.coordinatorLink.subscribe({ onFrame: hear, onPeer: () => {} });
    pair.coordinator.handle(({ sealed, attachments }) => {
      expect(sealed).toBe(true);
      return { payload: { welcome: { deviceName: 'porch' } }, attachments };
    });
    const reply = await pair.clock.until(
      pair.device.request(pair.coordinator.self, { hello: { tokenId: 'porch' } }, { ...ask, attachments: [Buffer.from('porch')] }),
    );
    expect(reply.payload).toMatchObject({ kind: 'welcome', value: { deviceName: 'porch' } });
    expect(reply.attachments.map((bytes) => Buffer.from(bytes).toString())).toEqual(['porch']);
    expect(kinds).toEqual(['sessionOffer', 'sessionAnswer', 'sealed', 'sealed']);
  });
});
