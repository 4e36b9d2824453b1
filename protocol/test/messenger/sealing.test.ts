import { Body, Envelope, ShoalError, seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/refusals.ts';
import { aSealedPair, ask, kindsOf, openKinds, secret } from './sealed-pair.ts';

describe('sealed messages', () => {
  it('are answered, attachments too, and on the wire is nothing but a handshake and what is sealed', async () => {
    const { clock, device, coordinator, wire, said } = await aSealedPair();
    const attachments = [Buffer.from(secret), Buffer.from('')];
    const request = device.messenger.request(coordinator.messenger.self, said(secret), { ...ask, attachments });
    const reply = await clock.until(request);
    expect(reply.payload).toMatchObject({ kind: 'goodbye', value: { reason: `${secret} true` } });
    expect(reply.attachments.map(String)).toEqual([secret, '']);
    expect(wire.flatMap(({ frame }) => kindsOf(frame))).toEqual(['sessionOffer', 'sessionAnswer', 'sealed', 'sealed']);
    for (const { frame } of wire) expect(Buffer.from(frame).includes(secret)).toBe(false);
  });

  it('of one turn share one seal', async () => {
    const { clock, device, coordinator, wire, said } = await aSealedPair();
    const requests = Array.from({ length: 200 }, (_, number) =>
      device.messenger.request(coordinator.messenger.self, said(`${number}`), ask),
    );
    const replies = await clock.until(Promise.all(requests));
    expect(replies.map(({ payload }) => (payload.kind === 'goodbye' ? payload.value.reason : ''))).toEqual(
      requests.map((_, number) => `${number} true`),
    );
    expect(wire).toHaveLength(4);
  });

  it('are said by a coordinator that speaks first: it has the device offer a session', async () => {
    const { clock, device, coordinator, wire, said } = await aSealedPair();
    const reply = await clock.until(coordinator.messenger.request(device.messenger.self, said(secret), ask));
    expect(reply.payload).toMatchObject({ value: { reason: `${secret} true` } });
    expect(wire.flatMap(({ frame }) => kindsOf(frame)).slice(0, 3)).toEqual([
      'sessionLost',
      'sessionOffer',
      'sessionAnswer',
    ]);
  });

  it('let a stranger join, its hello included', async () => {
    const { clock, device, coordinator, wire } = await aSealedPair({ stranger: true });
    const reply = await clock.until(
      device.messenger.request(coordinator.messenger.self, { hello: { tokenId: secret } }, ask),
    );
    expect(reply.payload.kind).toBe('empty');
    await clock.until(device.messenger.request(coordinator.messenger.self, { hello: {} }, ask));
    for (const { frame } of wire) expect(Buffer.from(frame).includes(secret)).toBe(false);
    expect(wire.flatMap(({ frame }) => kindsOf(frame)).filter((kind) => kind !== 'sealed')).toEqual([
      'sessionOffer',
      'sessionAnswer',
    ]);
  });

  it('of a stranger that has not joined are told so, sealed', async () => {
    const { clock, device, coordinator, said } = await aSealedPair({ stranger: true });
    const request = device.messenger.request(coordinator.messenger.self, said(secret), ask);
    // Only a hello introduces its sender: nobody can tell whose this is.
    expect(await clock.until(rejectionOf(request))).toBe('timeout');
    expect([...coordinator.messenger.refused.keys()]).toEqual(['device.unknown']);
  });

  it('are renewed after their time, with nothing lost, and old frames are opened by nobody', async () => {
    const limits = { renewAfterMs: 1_000, endAfterMs: 2_000 };
    const { clock, device, coordinator, wire, hub, said } = await aSealedPair({
      device: { limits },
      coordinator: { limits },
    });
    for (let second = 0; second < 10; second++) {
      const to = coordinator.messenger.self;
      const both = [
        device.messenger.request(to, said('up'), ask),
        coordinator.messenger.request(device.messenger.self, said('down'), ask),
      ];
      for (const { payload } of await clock.until(Promise.all(both))) expect(payload.kind).toBe('goodbye');
      await clock.advance(600);
    }
    const offers = wire.filter(({ frame }) => kindsOf(frame)[0] === 'sessionOffer');
    expect(offers.length).toBeGreaterThanOrEqual(4);
    const sessions = new Set(wire.map(({ frame }) => String(Body.decode(Envelope.decode(frame).body).seal?.session)));
    expect(sessions.size).toBe(offers.length + 1);
    for (const { from, to, frame } of wire) hub.carry(from, to, frame);
    await clock.advance(10);
    expect([...coordinator.messenger.refused.keys(), ...device.messenger.refused.keys()]).toEqual([
      'message.replayed',
      'message.replayed',
    ]);
  });

  it('leave no keys behind on either side when nobody has spoken for long', async () => {
    const limits = { renewAfterMs: 1_000, endAfterMs: 2_000 };
    const { clock, device, coordinator, said } = await aSealedPair({ device: { limits }, coordinator: { limits } });
    await clock.until(device.messenger.request(coordinator.messenger.self, said('up'), ask));
    expect([device.messenger.sessions, coordinator.messenger.sessions]).toEqual([1, 1]);
    await clock.advance(2_600);
    expect([device.messenger.sessions, coordinator.messenger.sessions]).toEqual([0, 0]);
  });

  it('are gone with the process: what was recorded on the wire opens with no key that is left', async () => {
    const { clock, device, coordinator, wire, sequences, start, identities, hub, said } = await aSealedPair();
    await clock.until(device.messenger.request(coordinator.messenger.self, said(secret), ask));
    await coordinator.stop();
    // Somebody steals the coordinator's disk and its long-lived key, and is not bound by its sequences.
    sequences.coordinator.recordReceived(identities.device.id, 0);
    const thief = await start('coordinator');
    const heard: string[] = [];
    thief.messenger.handle(({ payload }) => void heard.push(payload.kind));
    for (const { from, to, frame } of wire) if (to === identities.coordinator.id) hub.carry(from, to, frame);
    await clock.advance(10);
    expect(heard).toEqual([]);
    expect(thief.messenger.refused.get('seal.session')).toBe(1);
  });
});

describe('a peer that was started again', () => {
  it.each(['device', 'coordinator'] as const)(
    '(the %s) is understood, and understands, within a second',
    async (who) => {
      const pair = await aSealedPair();
      const { clock, said, start } = pair;
      const two = { device: pair.device, coordinator: pair.coordinator };
      await clock.until(two.device.messenger.request(two.coordinator.messenger.self, said('before'), ask));
      await two[who].stop();
      two[who] = await start(who);
      const startMs = clock.monotonicMs();
      const up = two.device.messenger.request(two.coordinator.messenger.self, said('up'), ask);
      const down = two.coordinator.messenger.request(two.device.messenger.self, said('down'), ask);
      await clock.until(Promise.all([up, down]));
      expect(clock.monotonicMs() - startMs).toBeLessThan(2_000);
    },
  );

  it('at any moment, of either side, on any network: everything is answered in the end, and nothing is said openly', async () => {
    const step = fc.constantFrom('up', 'down', 'both', 'device', 'coordinator', 'wait', 'long');
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 3, maxLength: 14 }), async (seed, steps) => {
        const dice = seededRandom(seed);
        const delayMs = () => 1 + dice.next() * 80;
        const route = () => (dice.next() < 0.3 ? [] : dice.next() < 0.3 ? [delayMs(), delayMs()] : [delayMs()]);
        const limits = { renewAfterMs: 2_000, endAfterMs: 6_000 };
        const pair = await aSealedPair({ route, device: { limits }, coordinator: { limits } });
        const { clock, said, start, wire } = pair;
        const two = { device: pair.device, coordinator: pair.coordinator };
        const handled = new Map<string, number>();
        const asked: Promise<void>[] = [];
        let number = 0;
        const other = { device: 'coordinator', coordinator: 'device' } as const;
        /** Asks again when the process that asked is gone: as an outbox does. */
        const insist = async (from: 'device' | 'coordinator', reason: string) => {
          for (;;) {
            const request = two[from].messenger.request(two[other[from]].messenger.self, said(reason), {
              timeoutMs: 900_000,
            });
            const outcome = await request.catch((error: unknown) => error);
            if (!(outcome instanceof ShoalError)) {
              expect(outcome).toMatchObject({ payload: { kind: 'goodbye', value: { reason: `${reason} true` } } });
              handled.set(reason, (handled.get(reason) ?? 0) + 1);
              return;
            }
            if (outcome.code !== 'closed') throw outcome;
          }
        };
        for (const what of steps) {
          number += 1;
          if (what === 'up' || what === 'both') asked.push(insist('device', `${number} ${secret} up`));
          if (what === 'down' || what === 'both') asked.push(insist('coordinator', `${number} ${secret} down`));
          if (what === 'device' || what === 'coordinator') {
            const gone = two[what];
            const stopped = gone.stop();
            two[what] = await start(what);
            await stopped;
          }
          await clock.advance(what === 'long' ? 7_000 : dice.next() * 200);
        }
        await clock.until(Promise.all(asked));
        expect([...handled.values()].every((times) => times === 1)).toBe(true);
        for (const { frame } of wire) {
          expect(Buffer.from(frame).includes(secret)).toBe(false);
          for (const kind of kindsOf(frame)) expect(kind === 'sealed' || openKinds.has(kind ?? '')).toBe(true);
        }
        await two.device.stop();
        await two.coordinator.stop();
        expect(clock.pending().filter((name) => !name.startsWith('memory-link'))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});
