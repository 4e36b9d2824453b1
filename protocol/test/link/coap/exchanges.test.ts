import { seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type Message, type WrittenMessage } from '../../../src/link/coap/message.ts';
import { type CoapAnswer, MessageClient } from '../../../src/link/coap/message-client.ts';
import { MessageServer, type Observer, type Responder } from '../../../src/link/coap/message-server.ts';

const peer = { address: '192.0.2.1', port: 5683 };
const get = { method: 'GET', path: '/x' } as const;
const deps = () => ({ clock: new VirtualClock(), random: seededRandom(1) });

/** What was sent, as it is read. */
class Sent {
  readonly messages: Message[] = [];

  readonly send = (datagram: Buffer): void => {
    const message = decodeMessage(datagram);
    if (message) this.messages.push(message);
  };

  get last(): Message {
    const last = this.messages.at(-1);
    if (!last) throw new Error('nothing was sent');
    return last;
  }

  get kinds(): string[] {
    return this.messages.map(({ type, code }) => `${type} ${code}`);
  }
}

function aClient() {
  const { clock, random } = deps();
  const sent = new Sent();
  const client = new MessageClient({ clock, random, send: sent.send });
  const answers: { code: string; copies: number }[] = [];
  const notifications: string[] = [];
  const silences: number[] = [];
  const ask = (observe = false) =>
    client.ask(get, observe ? { observe: ({ payload }: CoapAnswer) => notifications.push(payload.toString()) } : {}, {
      ...{ timeoutMs: 1_000, patienceMs: 40_000 },
      onAnswer: ({ code }, copies) => answers.push({ code, copies }),
      onSilence: () => silences.push(clock.monotonicMs()),
    });
  const hear = (message: WrittenMessage) => client.hear(encodeMessage(message));
  return { clock, sent, client, answers, notifications, silences, ask, hear };
}

describe('a client’s request', () => {
  it('is sent again after a wait that doubles, until it is given up, and nothing is left', async () => {
    const { clock, sent, ask, silences } = aClient();
    ask();
    const at: number[] = [];
    for (let count = 1; silences.length === 0; ) {
      await clock.advance(10);
      if (sent.messages.length > count) at.push(clock.monotonicMs());
      count = sent.messages.length;
    }
    const waits = at.map((ms, i) => ms - (at[i - 1] ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(1_000);
    expect(waits[0]).toBeLessThanOrEqual(1_510);
    for (const [i, wait] of waits.entries()) expect(wait / ((waits[0] ?? 0) * 2 ** i)).toBeCloseTo(1, 1);
    expect(new Set(sent.messages.map(({ messageId, token }) => `${messageId} ${token}`)).size).toBe(1);
    expect(silences).toEqual([40_000]);
    expect(clock.pending()).toEqual([]);
  });

  it('that is acknowledged is not sent again, and its answer comes later, and is acknowledged', async () => {
    const { clock, sent, ask, answers, hear } = aClient();
    ask();
    const { messageId, token } = sent.last;
    hear({ type: 'ACK', code: '0.00', messageId });
    await clock.advance(20_000);
    expect(sent.messages.length).toBe(1);
    hear({ type: 'CON', code: '2.05', messageId: 7, token });
    expect(answers).toEqual([{ code: '2.05', copies: 1 }]);
    expect(sent.last).toMatchObject({ type: 'ACK', code: '0.00', messageId: 7 });
    expect(clock.pending()).toEqual([]);
  });

  it('is answered once, by its own token and message alone, or by a reset', () => {
    const { sent, ask, answers, hear } = aClient();
    ask();
    const { messageId, token } = sent.last;
    hear({ type: 'ACK', code: '2.05', messageId, token: 'another' });
    hear({ type: 'ACK', code: '2.05', messageId: messageId ^ 1, token });
    hear({ type: 'RST', code: '0.00', messageId: messageId ^ 1 });
    expect(answers).toEqual([]);
    hear({ type: 'ACK', code: '2.05', messageId, token });
    hear({ type: 'ACK', code: '2.04', messageId, token });
    expect(answers).toEqual([{ code: '2.05', copies: 1 }]);
    ask();
    hear({ type: 'RST', code: '0.00', messageId: sent.last.messageId });
    expect(answers.at(-1)?.code).toBe('0.00');
  });

  it('that observes is told each notification once and none late, acknowledges each copy, and resets them once it is forgotten', async () => {
    const { clock, client, sent, ask, notifications, hear } = aClient();
    ask(true);
    const { messageId, token } = sent.last;
    const answer = { type: 'ACK', code: '2.05', messageId, token, options: [[6, Buffer.of(1)]] } as const;
    hear(answer);
    const notify = (number: number, text: string, type: 'CON' | 'NON' = 'CON') =>
      hear({
        ...{ type, code: '2.05', messageId: number & 0xffff, token, payload: Buffer.from(text) },
        options: [[6, Buffer.from(number.toString(16).padStart(6, '0'), 'hex')]],
      });
    notify(2, 'a');
    notify(2, 'a');
    notify(4, 'b');
    notify(3, 'late');
    hear(answer);
    notify(5, 'c', 'NON');
    expect(notifications).toEqual(['a', 'b', 'c']);
    expect(sent.kinds.slice(1)).toEqual(['ACK 0.00', 'ACK 0.00', 'ACK 0.00', 'ACK 0.00']);
    await clock.advance(130_000);
    notify(1, 'd');
    notify(0xff_ffff, 'late');
    expect(notifications.at(-1)).toBe('d');
    client.forget();
    notify(6, 'e');
    expect(sent.last).toMatchObject({ type: 'RST', messageId: 6 });
    expect(notifications.length).toBe(4);
  });

  it('that may not observe is told nothing', () => {
    const { sent, ask, answers, notifications, hear } = aClient();
    ask(true);
    const { messageId, token } = sent.last;
    const answer = { type: 'ACK', code: '2.05', messageId, token } as const;
    hear(answer);
    hear(answer);
    hear({ type: 'CON', code: '2.05', messageId: 9, token });
    expect(answers.length).toBe(1);
    expect(notifications).toEqual([]);
    expect(sent.last).toMatchObject({ type: 'RST', messageId: 9 });
  });

  it('is not answered by what is no answer: a ping is reset, a request is passed over', () => {
    const { sent, answers, ask, hear } = aClient();
    ask();
    hear({ type: 'CON', code: '0.00', messageId: 9 });
    expect(sent.last).toMatchObject({ type: 'RST', messageId: 9 });
    hear({ type: 'CON', code: '0.01', messageId: 10, token: sent.messages[0]?.token ?? '' });
    expect(sent.messages.length).toBe(2);
    expect(answers).toEqual([]);
  });
});

function aServer(onMessage: (responder: Responder) => void = ({ answer }) => answer({ code: '2.05' })) {
  const { clock, random } = deps();
  const sent = new Sent();
  let asked = 0;
  const server = new MessageServer({ clock, random, send: sent.send }, (_message, responder) => {
    asked += 1;
    onMessage(responder);
  });
  const hear = (message: WrittenMessage, from = peer) => server.hear(encodeMessage(message), from);
  return { clock, sent, server, hear, asked: () => asked };
}

const request = { type: 'CON', code: '0.01', messageId: 1, token: 't' } as const;

describe('a server', () => {
  it('answers a request that comes twice twice the same, and serves it once', () => {
    const { sent, hear, asked } = aServer();
    hear(request);
    hear(request);
    expect(asked()).toBe(1);
    expect(sent.messages).toMatchObject([0, 1].map(() => ({ type: 'ACK', code: '2.05', messageId: 1, token: 't' })));
    hear(request, { ...peer, port: 5684 });
    hear({ ...request, token: 'another' });
    expect(asked()).toBe(3);
  });

  it('keeps so many answers, the newest', () => {
    const { hear, asked } = aServer();
    for (let messageId = 0; messageId <= 4_000; messageId++) hear({ ...request, messageId });
    hear({ ...request, messageId: 1 });
    expect(asked()).toBe(4_001);
    hear({ ...request, messageId: 0 });
    expect(asked()).toBe(4_002);
  });

  it('serves a request once that comes again before it is answered, and answers it once', () => {
    const waiting: Responder[] = [];
    const { sent, hear, asked } = aServer((responder) => waiting.push(responder));
    hear(request);
    hear(request);
    for (const { answer } of [...waiting, ...waiting]) answer({ code: '2.04' });
    expect(asked()).toBe(1);
    expect(sent.kinds).toEqual(['ACK 2.04']);
  });

  it('takes no more requests than it keeps answers for while none is answered', () => {
    const waiting: Responder[] = [];
    const { hear, asked } = aServer((responder) => waiting.push(responder));
    for (let messageId = 0; messageId < 5_000; messageId++) hear({ ...request, messageId });
    expect(asked()).toBe(4_000);
    waiting[0]?.answer({ code: '2.05' });
    hear({ ...request, messageId: 4_999 });
    expect(asked()).toBe(4_001);
  });

  it('answers a non-confirmable request with such a message of its own, and a ping with a reset', () => {
    const { sent, hear } = aServer();
    hear({ ...request, type: 'NON' });
    expect(sent.last).toMatchObject({ type: 'NON', code: '2.05', token: 't' });
    hear({ type: 'CON', code: '0.00', messageId: 5 });
    expect(sent.last).toMatchObject({ type: 'RST', code: '0.00', messageId: 5 });
  });

  it('is silent to answers, to what it did not ask for, and to a sender that cannot be', () => {
    const { sent, hear, asked } = aServer();
    hear({ type: 'CON', code: '2.05', messageId: 1 });
    hear({ type: 'ACK', code: '0.00', messageId: 1 });
    hear({ type: 'RST', code: '0.00', messageId: 1 });
    hear(request, { ...peer, port: 0 });
    expect([sent.messages.length, asked()]).toEqual([0, 0]);
  });
});

describe('an observer', () => {
  const observing = { ...request, options: [[6, Buffer.alloc(0)]] } as const;

  function observed() {
    let observer: Observer | undefined;
    const world = aServer(({ accept }) => {
      observer = accept?.({ code: '2.05' });
    });
    world.hear(observing);
    if (!observer) throw new Error('nobody observes');
    return { ...world, observer };
  }

  it('is told again until it acknowledges, faster once it is known how fast it is', async () => {
    const { clock, sent, hear, observer } = observed();
    const told = observer.notify({ code: '2.05' });
    await clock.advance(20);
    hear({ type: 'ACK', code: '0.00', messageId: sent.last.messageId });
    expect(await told).toBe(true);
    expect(sent.kinds).toEqual(['ACK 2.05', 'CON 2.05']);
    const again = observer.notify({ code: '2.05' });
    await clock.advance(400);
    expect(sent.kinds.slice(2)).toEqual(['CON 2.05', 'CON 2.05']);
    hear({ type: 'ACK', code: '0.00', messageId: sent.last.messageId }, { ...peer, port: 1 });
    hear({ type: 'ACK', code: '0.00', messageId: sent.last.messageId });
    expect(await again).toBe(true);
    expect(clock.pending()).toEqual([]);
  });

  it.each<[string, (world: ReturnType<typeof observed>) => unknown]>([
    [
      'that resets a notification',
      ({ hear, sent }) => hear({ type: 'RST', code: '0.00', messageId: sent.last.messageId }),
    ],
    ['that is silent', ({ clock }) => clock.advance(93_000)],
    ['that is not to be told any more', ({ observer }) => observer.end()],
    ['of a server that closes', ({ server }) => server.close()],
    ['that is told something newer', ({ observer }) => void observer.notify({ code: '2.05' })],
  ])('%s was not told', async (_name, happen) => {
    const world = observed();
    const told = world.observer.notify({ code: '2.05' });
    await happen(world);
    expect(await told).toBe(false);
    world.observer.end();
    expect(world.clock.pending()).toEqual([]);
  });
});
