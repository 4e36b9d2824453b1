import { type Incoming, newId, newIdentity, ShoalError, sealEnvelope, seededRandom } from '@shoal/protocol';
import { MemorySequenceStore } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/refusals.ts';
import { aPair, never } from './builders.ts';

const ask = { timeoutMs: 1000 };

describe('a request', () => {
  it('is answered with what the handler returns', async () => {
    const { clock, device, coordinator } = await aPair();
    coordinator.handle(() => ({ payload: { welcome: { deviceName: 'pi' } } }));
    const reply = await clock.until(device.request(coordinator.self, { hello: {} }, ask));
    expect(reply.payload).toMatchObject({ kind: 'welcome', value: { deviceName: 'pi' } });
  });

  it('is answered with nothing when the handler returns nothing', async () => {
    const { clock, device, coordinator } = await aPair();
    coordinator.handle(() => undefined);
    const reply = await clock.until(device.request(coordinator.self, { goodbye: {} }, ask));
    expect(reply.payload.kind).toBe('empty');
  });

  it('is acknowledged in the envelope of what is said next, or alone after a moment', async () => {
    const { clock, device, deviceLink, coordinator } = await aPair();
    coordinator.handle(() => undefined);
    device.handle(() => ({ payload: { taskAdmission: { accepted: true } } }));
    let frames = 0;
    deviceLink.subscribe({ onFrame: () => frames++, onPeer: () => {} });
    const acknowledged = device.request(coordinator.self, { taskOutcome: {} }, ask);
    await clock.advance(1);
    expect(frames).toBe(0);
    await clock.until(coordinator.request(device.self, { taskAssignment: {} }, ask));
    expect((await acknowledged).payload.kind).toBe('empty');
    expect(frames).toBe(1);
    const startMs = clock.monotonicMs();
    await clock.until(device.request(coordinator.self, { taskOutcome: {} }, ask));
    expect(clock.monotonicMs() - startMs).toBe(2);
    expect(clock.pending()).toEqual([]);
  });

  it('carries its own attachments when it shares an envelope with others', async () => {
    const { clock, device, coordinator } = await aPair();
    const seen: Incoming[] = [];
    coordinator.handle((incoming) => {
      seen.push(incoming);
      return { payload: { empty: {} }, attachments: incoming.attachments };
    });
    const request = (byte: number) =>
      device.request(coordinator.self, { taskOutcome: {} }, { ...ask, attachments: [Uint8Array.of(byte)] });
    const replies = await clock.until(Promise.all([request(1), request(2), request(3)]));
    expect(seen.map(({ attachments }) => attachments.map((bytes) => [...bytes]))).toEqual([[[1]], [[2]], [[3]]]);
    expect(replies.map(({ attachments }) => attachments.map((bytes) => [...bytes]))).toEqual([[[1]], [[2]], [[3]]]);
  });

  it('is handled in the order of arrival', async () => {
    const { clock, device, coordinator } = await aPair();
    const seen: string[] = [];
    coordinator.handle(({ payload }) => {
      if (payload.kind === 'goodbye') seen.push(payload.value.reason);
      return undefined;
    });
    const reasons = Array.from({ length: 1000 }, (_, i) => `${i}`);
    await clock.until(
      Promise.all(reasons.map((reason) => device.request(coordinator.self, { goodbye: { reason } }, ask))),
    );
    expect(seen).toEqual(reasons);
  });

  it('is handled once and answered in the end when half of all frames are lost and the rest are doubled', async () => {
    const random = seededRandom(7);
    const route = () => (random.next() < 0.5 ? [] : [random.next() * 50, random.next() * 50]);
    const { clock, device, coordinator } = await aPair({ hub: { route } });
    let handled = 0;
    coordinator.handle(() => {
      handled += 1;
      return undefined;
    });
    for (let asked = 0; asked < 40; asked++) {
      await clock.until(device.request(coordinator.self, { taskOutcome: {} }, { timeoutMs: 600_000 }));
    }
    await clock.advance(100);
    expect(handled).toBe(40);
    // Of a doubled frame only the first is believed, on either side.
    expect(device.refused.get('message.replayed')).toBeGreaterThan(0);
    expect(coordinator.refused.get('message.replayed')).toBeGreaterThan(0);
  });

  it('gets the first reply again when only that was lost', async () => {
    let lost = 0;
    const { clock, device, coordinator } = await aPair({
      hub: { route: (from) => (from.startsWith('crd_') && lost++ === 0 ? [] : [0]) },
    });
    let handled = 0;
    coordinator.handle(() => ({ payload: { welcome: { deviceName: `${++handled}` } } }));
    const reply = await clock.until(device.request(coordinator.self, { hello: {} }, { timeoutMs: 10_000 }));
    expect(reply.payload).toMatchObject({ value: { deviceName: '1' } });
    expect([handled, lost]).toEqual([1, 2]);
  });

  it('waits for the first handling when it comes again meanwhile', async () => {
    const { clock, device, coordinator } = await aPair();
    const done = Promise.withResolvers<undefined>();
    let handled = 0;
    coordinator.handle(() => {
      handled += 1;
      return done.promise;
    });
    const asked = device.request(coordinator.self, { taskOutcome: {} }, { timeoutMs: 100_000 });
    await clock.advance(30_000);
    done.resolve(undefined);
    await clock.until(asked);
    expect(handled).toBe(1);
  });

  it.each([
    // 0, 1, 3, 7, 15, 25 s
    { resendMaxMs: undefined, tries: 6 },
    { resendMaxMs: 500, tries: 60 },
  ])('is sent $tries times in 30 s when its asker waits $resendMaxMs ms at most', async ({ resendMaxMs, tries }) => {
    let sent = 0;
    const route = () => {
      sent++;
      return [];
    };
    const { clock, device, coordinator } = await aPair({ hub: { route } });
    const asked = device.request(
      coordinator.self,
      { goodbye: {} },
      { timeoutMs: 30_000, ...(resendMaxMs && { resendMaxMs }) },
    );
    await expect(clock.until(asked)).rejects.toMatchObject({ code: 'timeout' });
    expect(sent).toBe(tries);
  });

  it('is sent again at once when the peer can be reached again', async () => {
    const { clock, device, coordinator, coordinatorLink } = await aPair();
    coordinator.handle(() => ({ payload: { welcome: {} } }));
    await coordinatorLink.stop();
    const asked = device.request(coordinator.self, { goodbye: {} }, { timeoutMs: 100_000 });
    await clock.advance(50_000);
    const beforeMs = clock.monotonicMs();
    await coordinatorLink.start(never);
    await clock.until(asked);
    expect(clock.monotonicMs() - beforeMs).toBe(0);
  });

  it.each(['work.refused', 'not-found', 'io.disk-full'] as const)(
    'fails with the code %s that the handler throws',
    async (code) => {
      const { clock, device, coordinator } = await aPair();
      coordinator.handle(() => {
        throw new ShoalError(code, 'because');
      });
      const asked = device.request(coordinator.self, { taskOutcome: {} }, ask);
      await expect(clock.until(asked)).rejects.toMatchObject({ code, message: 'because', facts: { fromPeer: true } });
    },
  );

  it('fails as a defect when the handler breaks, and the next one is handled', async () => {
    const { clock, device, coordinator } = await aPair();
    let calls = 0;
    coordinator.handle(() => {
      calls += 1;
      if (calls === 1) throw new TypeError('undefined is not a function');
      return undefined;
    });
    expect(await rejectionOf(clock.until(device.request(coordinator.self, { goodbye: {} }, ask)))).toBe('defect');
    expect(await rejectionOf(clock.until(device.request(coordinator.self, { goodbye: {} }, ask)))).toBeUndefined();
  });

  it('fails with reply.failed when the peer answers with a code that is not known here', async () => {
    const { clock, device, coordinator } = await aPair();
    coordinator.handle(() => ({ payload: { error: { code: 'from.the.future', message: 'x' } } }));
    expect(await rejectionOf(clock.until(device.request(coordinator.self, { goodbye: {} }, ask)))).toBe('reply.failed');
  });

  it('fails with a timeout when nobody answers, and leaves no timer', async () => {
    const { clock, device } = await aPair({ hub: { route: () => [] } });
    const asked = device.request('crd_nobody', { hello: {} }, { timeoutMs: 5000 });
    await expect(clock.until(asked)).rejects.toMatchObject({ code: 'timeout' });
    expect(clock.monotonicMs()).toBe(5000);
    expect(clock.pending()).toEqual([]);
  });

  it('is given up when its signal is aborted, before or while it waits', async () => {
    const { clock, device, coordinator } = await aPair({ hub: { route: () => [] } });
    const early = device.request(coordinator.self, { goodbye: {} }, { ...ask, signal: AbortSignal.abort() });
    expect(await rejectionOf(early)).toBe('aborted');
    const controller = new AbortController();
    const late = device.request(coordinator.self, { goodbye: {} }, { ...ask, signal: controller.signal });
    await clock.advance(10);
    controller.abort(new ShoalError('work.cancelled', 'no longer wanted'));
    expect(await rejectionOf(late)).toBe('work.cancelled');
    expect(clock.pending()).toEqual([]);
  });

  it('is answered only by whom it was put to', async () => {
    const { clock, hub, known, device, coordinator } = await aPair({
      hub: { route: (_from, to) => (to.startsWith('crd_') ? [] : [0]) },
    });
    const asked = device.request(coordinator.self, { goodbye: {} }, ask);
    await clock.advance(10);
    // Another device that is known answers in the coordinator's place, with every id it can think of.
    const impostor = newIdentity('device', seededRandom(99));
    known.set(impostor.id, impostor);
    const link = hub.link(impostor.id);
    await link.start(never);
    const messages = Array.from({ length: 50 }, (_, i) => ({ replyTo: i + 1, empty: {} }));
    await link.send(
      device.self,
      sealEnvelope(impostor, { recipient: device.self, sequence: 1, sentAtMs: 0, messages }),
    );
    expect(await rejectionOf(clock.until(asked))).toBe('timeout');
  });
});

describe('a message that is only said', () => {
  it('is handled, and what the handler returns or throws is dropped', async () => {
    const { clock, device, coordinator } = await aPair();
    const kinds: string[] = [];
    coordinator.handle(({ payload }) => {
      kinds.push(payload.kind);
      if (kinds.length === 1) throw new ShoalError('not-found', 'x');
      return { payload: { empty: {} } };
    });
    device.send(coordinator.self, { payload: { goodbye: {} } });
    device.send(coordinator.self, { payload: { telemetry: {} } });
    await clock.advance(1);
    expect(kinds).toEqual(['goodbye', 'telemetry']);
    expect(clock.pending()).toEqual([]);
  });

  it('never throws, whoever it is for', async () => {
    const { clock, device } = await aPair();
    device.send(newId('crd', 0, seededRandom(1)), { payload: { goodbye: {} } });
    await clock.advance(1);
    await device.stop();
    device.send('crd_x', { payload: { goodbye: {} } });
    expect(clock.pending()).toEqual([]);
  });
});

describe('a messenger that is stopped', () => {
  it('fails what waits, takes nothing more, and leaves no timer', async () => {
    const { clock, device, coordinator } = await aPair({ hub: { route: () => [] } });
    const waiting = rejectionOf(device.request(coordinator.self, { goodbye: {} }, ask));
    await clock.advance(1);
    await device.stop();
    await device.stop();
    expect(await waiting).toBe('closed');
    expect(await rejectionOf(device.request(coordinator.self, { goodbye: {} }, ask))).toBe('closed');
    expect(clock.pending()).toEqual([]);
  });

  it('hears nothing more', async () => {
    const { clock, device, coordinator } = await aPair();
    let handled = 0;
    coordinator.handle(() => {
      handled += 1;
      return undefined;
    });
    await coordinator.stop();
    device.send(coordinator.self, { payload: { goodbye: {} } });
    await clock.advance(1);
    expect(handled).toBe(0);
  });
});

describe('a messenger whose store fails', () => {
  it('does not start', async () => {
    const sequences = new MemorySequenceStore();
    sequences.reserve = () => Promise.reject(new ShoalError('io.disk-full', 'no space'));
    expect(await rejectionOf(aPair({ deviceSequences: sequences }))).toBe('io.disk-full');
  });

  it('does not handle what it cannot record, and handles it when it is asked again', async () => {
    const sequences = new MemorySequenceStore();
    const { clock, device, coordinator } = await aPair({ deviceSequences: sequences });
    let failures = 1;
    const record = sequences.recordReceived.bind(sequences);
    sequences.recordReceived = (sender, sequence) => {
      if (failures-- > 0) throw new ShoalError('io.disk-full', 'no space');
      record(sender, sequence);
    };
    let handled = 0;
    device.handle(() => {
      handled += 1;
      return undefined;
    });
    await clock.until(coordinator.request(device.self, { taskAssignment: {} }, { timeoutMs: 10_000 }));
    expect(handled).toBe(1);
    expect(clock.monotonicMs()).toBeGreaterThan(0);
  });
});
