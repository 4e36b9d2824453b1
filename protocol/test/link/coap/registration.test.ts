import { seededRandom, utf8 } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../src/link/coap/message.ts';
import { MessageServer, type Observer } from '../../../src/link/coap/message-server.ts';
import { Registration } from '../../../src/link/coap/registration.ts';

/** A device that is registered and observes. */
function registered() {
  const clock = new VirtualClock();
  let observer: Observer | undefined;
  const sent: Buffer[] = [];
  const deps = { clock, random: seededRandom(1), send: (datagram: Buffer) => void sent.push(datagram) };
  const server = new MessageServer(deps, (_message, { accept }) => {
    observer = accept?.({ code: '2.05' });
  });
  const observing = { type: 'CON', code: '0.01', messageId: 1, options: [[6, Buffer.alloc(0)]] } as const;
  server.hear(encodeMessage(observing), { address: '192.0.2.1', port: 1 });
  const registration = new Registration(clock, {
    ...{
      device: 'device',
      handle: 'handle',
      endpoint: '192.0.2.1:1',
      lifetimeMs: 30_000,
      maxBufferedBytes: 1_000,
      timely: true,
    },
    onLapse: () => {},
  });
  if (observer) registration.observedBy(observer);
  sent.splice(0);
  return { clock, registration, sent };
}

describe('a frame that came up is answered', () => {
  it('at once with the frame that answers it, in the same datagram', async () => {
    const { registration, sent } = registered();
    const answer = await registration.came(1, () => void registration.send(utf8('yes')));
    expect([answer.code, Buffer.from(answer.body ?? []).toString(), answer.etag]).toEqual(['2.04', 'yes', '1']);
    expect(sent).toEqual([]);
  });

  it('two turns later when nothing answers it', async () => {
    const { clock, registration } = registered();
    const answered = registration.came(1, () => {});
    await clock.advance(0);
    expect(await answered).toEqual({ code: '2.04' });
  });

  it('without a frame when there are two, which come one after the other', async () => {
    const { registration, sent } = registered();
    const answer = await registration.came(1, () => {
      void registration.send(utf8('one'));
      void registration.send(utf8('two'));
    });
    expect(answer).toEqual({ code: '2.04' });
    expect(sent.map((datagram) => datagram.toString('latin1').slice(-3))).toEqual(['one']);
  });

  it('the same when it comes again, also while another is answered', async () => {
    const { clock, registration } = registered();
    const [first, again, other] = [
      registration.came(1, () => {}),
      registration.came(1, () => {}),
      registration.came(2, () => {}),
    ];
    await clock.advance(0);
    expect(await Promise.all([first, again, other])).toEqual([1, 2, 3].map(() => ({ code: '2.04' })));
  });
});
