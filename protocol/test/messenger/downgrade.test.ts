import { Envelope, newIdentity, type PayloadInit, sealEnvelope, seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/refusals.ts';
import { aSealedPair, ask, kindsOf, openKinds, secret } from './sealed-pair.ts';

type Pair = Awaited<ReturnType<typeof aSealedPair>>;

const offered = { required: false, seals: () => false };

/** One thing that a peer says openly with its real key and a new sequence: as an old version of it, or a forger who has the key, would. */
async function sayOpenly(pair: Pair, from: 'device' | 'coordinator', payload: PayloadInit, replyTo = 0) {
  const to = pair.identities[from === 'device' ? 'coordinator' : 'device'].id;
  const sequence = (await pair.sequences[from].reserve(1)) + 1_000_000;
  const messages = [{ id: replyTo === 0 ? sequence : 0, replyTo, ...payload }];
  const frame = sealEnvelope(pair.identities[from], { recipient: to, sequence, sentAtMs: 0, messages });
  pair.hub.carry(pair.identities[from].id, to, frame);
  await pair.clock.advance(10);
}

function requireNothingSaid({ wire }: Pair): void {
  for (const { frame } of wire) {
    expect(Buffer.from(frame).includes(secret)).toBe(false);
    for (const kind of kindsOf(frame)) expect(['sealed', 'error', ...openKinds]).toContain(kind);
  }
}

describe('two who seal', () => {
  it('say nothing when every offer is lost, however long that goes on', async () => {
    const pair = await aSealedPair({ route: () => [] });
    const { clock, device, coordinator, said } = pair;
    const request = device.messenger.request(coordinator.messenger.self, said(secret), { timeoutMs: 300_000 });
    const down = coordinator.messenger.request(device.messenger.self, said(secret), { timeoutMs: 300_000 });
    expect(await clock.until(Promise.all([rejectionOf(request), rejectionOf(down)]))).toEqual(['timeout', 'timeout']);
    requireNothingSaid(pair);
  });

  it('say nothing when the answer is another than was given: it is not believed', async () => {
    const pair = await aSealedPair();
    const { clock, device, coordinator, said, identities, hub, wire } = pair;
    await coordinator.stop();
    const eve = newIdentity('coordinator', seededRandom(66));
    await hub.link(identities.coordinator.id).start(new AbortController().signal);
    const request = device.messenger.request(identities.coordinator.id, said(secret), { timeoutMs: 20_000 });
    await clock.advance(10);
    const offer = Envelope.decode(wire[0]?.frame ?? new Uint8Array());
    expect(offer.publicKey).toHaveLength(32);
    for (const sender of [eve, identities.device]) {
      const forged = sealEnvelope(sender, {
        recipient: device.messenger.self,
        sequence: 99,
        sentAtMs: 0,
        messages: [{ replyTo: 2, sessionAnswer: { session: new Uint8Array(16) } }],
        introduce: true,
      });
      hub.carry(identities.coordinator.id, device.messenger.self, forged);
    }
    expect(await clock.until(rejectionOf(request))).toBe('timeout');
    requireNothingSaid(pair);
  });

  it('say nothing openly when the coordinator cannot seal: it is too old, or another program', async () => {
    const pair = await aSealedPair({ coordinator: 'open' });
    const { clock, device, coordinator, said } = pair;
    const request = device.messenger.request(coordinator.messenger.self, said(secret), { timeoutMs: 100_000 });
    expect(await clock.until(rejectionOf(request))).toBe('timeout');
    // What it answers to an offer, with whatever it makes of it, tells nothing.
    expect(new Set(pair.wire.flatMap(({ frame }) => kindsOf(frame)))).toEqual(new Set(['sessionOffer', 'empty']));
  });

  it('do not believe what is said openly, though it is signed, and answer what is wrong', async () => {
    const pair = await aSealedPair();
    const { clock, device, coordinator, said, wire } = pair;
    await clock.until(device.messenger.request(coordinator.messenger.self, said('first'), ask));
    const heard: string[] = [];
    for (const { messenger } of [device, coordinator]) messenger.handle(({ payload }) => void heard.push(payload.kind));
    wire.length = 0;
    await sayOpenly(pair, 'device', { telemetry: {} });
    await sayOpenly(pair, 'coordinator', { cameraRemoval: { cameraId: 'cam_1' } });
    await sayOpenly(pair, 'device', { hello: {} });
    expect(heard).toEqual([]);
    expect(coordinator.messenger.refused.get('seal.required')).toBeGreaterThanOrEqual(2);
    expect(device.messenger.refused.get('seal.required')).toBeGreaterThanOrEqual(1);
    expect(wire.flatMap(({ frame }) => kindsOf(frame))).toEqual(['error', 'error', 'error']);
  });

  it('do not believe an open hello of the coordinator: devices alone may go back, by a hello of their own', async () => {
    const pair = await aSealedPair({ device: { required: false, seals: () => true } });
    const { clock, device, coordinator, said } = pair;
    await clock.until(device.messenger.request(coordinator.messenger.self, said('first'), ask));
    await sayOpenly(pair, 'coordinator', { hello: {} });
    expect(device.messenger.refused.get('seal.required')).toBe(1);
    expect(device.messenger.sessions).toBe(1);
  });

  it('do not believe an open answer to a sealed question', async () => {
    const pair = await aSealedPair();
    const { clock, device, coordinator } = pair;
    coordinator.messenger.handle(() => new Promise(() => {}));
    const request = device.messenger.request(coordinator.messenger.self, { hello: {} }, { timeoutMs: 5_000 });
    const outcome = rejectionOf(request);
    await clock.advance(100);
    // The first two sequences went to the question and to the offer.
    for (const id of [1, 2, 3]) {
      await sayOpenly(pair, 'coordinator', { welcome: { deviceName: 'eve' } }, id);
      await sayOpenly(pair, 'coordinator', { error: { code: 'device.revoked' } }, id);
    }
    expect(await clock.until(outcome)).toBe('timeout');
    expect(device.messenger.refused.get('seal.required')).toBe(6);
  });

  it('are not led astray by SessionLost of a session that they do not use, or in the name of the other', async () => {
    const pair = await aSealedPair();
    const { clock, device, coordinator, said, wire, identities, hub } = pair;
    await clock.until(device.messenger.request(coordinator.messenger.self, said('first'), ask));
    wire.length = 0;
    await sayOpenly(pair, 'coordinator', { sessionLost: { session: new Uint8Array(16).fill(9) } });
    await sayOpenly(pair, 'device', { sessionLost: {} });
    const eve = newIdentity('coordinator', seededRandom(66));
    const forged = sealEnvelope(eve, {
      recipient: device.messenger.self,
      sequence: 2 ** 50,
      sentAtMs: 0,
      messages: [{ sessionLost: {} }],
      introduce: true,
    });
    hub.carry(identities.coordinator.id, device.messenger.self, forged);
    await clock.advance(100);
    expect(wire.flatMap(({ frame }) => kindsOf(frame))).toEqual([]);
  });
});

describe('a coordinator that offers sealing', () => {
  it('speaks openly with who does not, and sealed with who does', async () => {
    for (const [device, sealed] of [
      ['open', false],
      [{}, true],
    ] as const) {
      const pair = await aSealedPair({ coordinator: offered, device });
      const { clock, said, coordinator } = pair;
      const up = pair.device.messenger.request(coordinator.messenger.self, said('up'), ask);
      expect((await clock.until(up)).payload).toMatchObject({ value: { reason: `up ${sealed}` } });
      const down = coordinator.messenger.request(pair.device.messenger.self, said('down'), ask);
      expect((await clock.until(down)).payload).toMatchObject({ value: { reason: `down ${sealed}` } });
    }
  });

  it('says nothing openly to a device that seals, though it was started again and has no session', async () => {
    const pair = await aSealedPair({ coordinator: { required: false, seals: () => true } });
    const { clock, device, said } = pair;
    await clock.until(device.messenger.request(pair.coordinator.messenger.self, said(secret), ask));
    await pair.coordinator.stop();
    const coordinator = await pair.start('coordinator');
    await clock.until(coordinator.messenger.request(device.messenger.self, said(secret), ask));
    requireNothingSaid(pair);
  });

  it('lets a device that seals go back to speaking openly by its own signed hello, and by nothing else', async () => {
    let seals = true;
    const pair = await aSealedPair({ coordinator: { required: false, seals: () => seals } });
    const { clock, device, coordinator, said } = pair;
    await clock.until(device.messenger.request(coordinator.messenger.self, said('first'), ask));
    const heard: string[] = [];
    coordinator.messenger.handle(({ payload, sealed }) => {
      heard.push(`${payload.kind} ${sealed}`);
      if (payload.kind === 'hello') seals = sealed;
      return undefined;
    });
    await sayOpenly(pair, 'device', { telemetry: {} });
    await sayOpenly(pair, 'device', { hello: {} });
    await sayOpenly(pair, 'device', { telemetry: {} });
    expect(heard).toEqual(['hello false', 'telemetry false']);
  });

  it('that requires it tells a device that does not seal what to do', async () => {
    const { clock, device, coordinator, said, wire } = await aSealedPair({ device: 'open' });
    const request = device.messenger.request(coordinator.messenger.self, said('up'), ask);
    await expect(clock.until(request)).rejects.toMatchObject({
      code: 'seal.required',
      message: expect.stringContaining('join with a token'),
    });
    expect(wire.flatMap(({ frame }) => kindsOf(frame))).toEqual(['goodbye', 'error']);
  });
});

describe('strangers', () => {
  it('with any number of keys have a thousand sessions together, and push out no device that has joined', async () => {
    const pair = await aSealedPair({ stranger: true });
    const { clock, device, coordinator, said, hub, identities, wire } = pair;
    await clock.until(device.messenger.request(coordinator.messenger.self, { hello: {} }, ask));
    wire.length = 0;
    const random = seededRandom(5);
    for (let number = 0; number < 1_100; number++) {
      const stranger = newIdentity('device', random);
      const frame = sealEnvelope(stranger, {
        recipient: coordinator.messenger.self,
        sequence: 1,
        sentAtMs: 0,
        messages: [
          {
            id: 1,
            sessionOffer: { shares: [{ algorithm: 'x25519-hkdf-sha256-chacha20-poly1305', share: shareOf(number) }] },
          },
        ],
        introduce: true,
      });
      hub.carry(stranger.id, identities.coordinator.id, frame);
      if (number % 100 === 0) await clock.advance(5);
    }
    await clock.advance(100);
    expect(coordinator.messenger.sessions).toBe(1_001);
    wire.length = 0;
    await clock.until(device.messenger.request(coordinator.messenger.self, said('again'), ask));
    expect(wire.flatMap(({ frame }) => kindsOf(frame))).toEqual(['sealed', 'sealed']);
  });
});

/** Some point of the curve; nobody needs to know its secret. */
function shareOf(number: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 + (number % 200) : i === 1 ? number >> 3 : 0x42));
}
