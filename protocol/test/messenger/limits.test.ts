import { type Incoming, newIdentity, sealEnvelope, seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/refusals.ts';
import { aPair, never } from './builders.ts';

const ask = { timeoutMs: 1000 };

describe('what is too much for one frame', () => {
  it('is refused when one message alone is too large', async () => {
    const { clock, device, coordinator } = await aPair({ hub: { maxFrameBytes: 10_000 } });
    const attachments = [new Uint8Array(10_000)];
    const asked = device.request(coordinator.self, { taskOutcome: {} }, { ...ask, attachments });
    expect(await rejectionOf(clock.until(asked))).toBe('message.too-large');
    expect(clock.monotonicMs()).toBe(0);
  });

  it('goes in several frames when it is many messages, and each arrives with its own attachments', async () => {
    const sizes: number[] = [];
    const hub = {
      maxFrameBytes: 10_000,
      route: (_from: string, _to: string, sizeBytes: number) => {
        sizes.push(sizeBytes);
        return [0];
      },
    };
    const { clock, device, coordinator } = await aPair({ hub });
    const seen: Incoming[] = [];
    coordinator.handle((incoming) => {
      seen.push(incoming);
      return undefined;
    });
    const request = (i: number) =>
      device.request(
        coordinator.self,
        { goodbye: { reason: `${i}${'x'.repeat(500)}` } },
        { ...ask, attachments: [Uint8Array.of(i), new Uint8Array((i * 531) % 3000)] },
      );
    await clock.until(Promise.all(Array.from({ length: 100 }, (_, i) => request(i))));
    expect(seen.map(({ attachments }) => attachments[0]?.[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000);
  });

  it('becomes an error for who asked when the reply is too large', async () => {
    const { clock, device, coordinator } = await aPair({ hub: { maxFrameBytes: 10_000 } });
    coordinator.handle(() => ({ payload: { blobChunk: {} }, attachments: [new Uint8Array(10_000)] }));
    const asked = device.request(coordinator.self, { blobRequest: {} }, ask);
    expect(await rejectionOf(clock.until(asked))).toBe('message.too-large');
  });
});

describe('the limits of a messenger', () => {
  it('one signature covers at most a batch of messages', async () => {
    let frames = 0;
    const route = (from: string) => {
      if (from.startsWith('dev_')) frames += 1;
      return [0];
    };
    const { clock, device, coordinator } = await aPair({ hub: { route }, device: { batchLimit: 10 } });
    coordinator.handle(() => undefined);
    await clock.until(
      Promise.all(Array.from({ length: 100 }, () => device.request(coordinator.self, { goodbye: {} }, ask))),
    );
    expect(frames).toBe(10);
  });

  it('a queue that is full keeps what it holds and takes the rest later', async () => {
    const { clock, device, coordinator } = await aPair({ device: { queueLimit: 10 } });
    let handled = 0;
    coordinator.handle(() => {
      handled += 1;
      return undefined;
    });
    const asked = Promise.all(
      Array.from({ length: 25 }, () => device.request(coordinator.self, { goodbye: {} }, { timeoutMs: 60_000 })),
    );
    await clock.advance(1);
    expect(handled).toBe(10);
    await clock.until(asked);
    expect(handled).toBe(25);
  });

  it('more requests than may wait for an answer are refused', async () => {
    const { clock, device, coordinator } = await aPair({ hub: { route: () => [] }, device: { pendingLimit: 3 } });
    const outcomes = Promise.all(
      Array.from({ length: 5 }, () => rejectionOf(device.request(coordinator.self, { goodbye: {} }, ask))),
    );
    expect((await clock.until(outcomes)).sort()).toEqual(['queue.full', 'queue.full', 'timeout', 'timeout', 'timeout']);
  });

  it('more requests of one peer than may be handled at once are refused, others are not', async () => {
    const { clock, device, coordinator } = await aPair({ coordinator: { handlingLimit: 2 } });
    const done = Promise.withResolvers<undefined>();
    coordinator.handle(() => done.promise);
    const outcomes = Array.from({ length: 4 }, () =>
      rejectionOf(device.request(coordinator.self, { goodbye: {} }, { timeoutMs: 60_000 })),
    );
    await clock.advance(1);
    done.resolve(undefined);
    expect(await clock.until(Promise.all(outcomes))).toEqual([undefined, undefined, 'queue.full', 'queue.full']);
    expect(await rejectionOf(clock.until(device.request(coordinator.self, { goodbye: {} }, ask)))).toBeUndefined();
  });

  it('a request that waits for a slow link is not put behind itself again', async () => {
    const { clock, device, deviceLink, coordinator } = await aPair();
    let handled = 0;
    coordinator.handle(() => {
      handled += 1;
      return undefined;
    });
    const send = deviceLink.send.bind(deviceLink);
    const open = Promise.withResolvers<void>();
    let frames = 0;
    deviceLink.send = async (to, frame) => {
      frames += 1;
      await open.promise;
      await send(to, frame);
    };
    const asked = device.request(coordinator.self, { goodbye: {} }, { timeoutMs: 600_000 });
    await clock.advance(300_000);
    expect(frames).toBe(1);
    open.resolve();
    await clock.until(asked);
    expect([frames, handled]).toEqual([1, 1]);
  });
});

describe('a stranger', () => {
  it('can say hello and nothing else', async () => {
    const { clock, device, coordinator, known } = await aPair();
    const heard: Incoming[] = [];
    coordinator.handle((incoming) => {
      heard.push(incoming);
      return { payload: { welcome: {} } };
    });
    known.delete(device.self);
    // Without an introduction nobody knows whose signature it is.
    expect(await rejectionOf(clock.until(device.request(coordinator.self, { telemetry: {} }, ask)))).toBe('timeout');
    expect(coordinator.refused.get('device.unknown')).toBeGreaterThan(0);
    const reply = await clock.until(device.request(coordinator.self, { hello: {} }, ask));
    expect(reply.payload.kind).toBe('welcome');
    expect(heard.map(({ known, payload }) => [known, payload.kind])).toEqual([[false, 'hello']]);
  });

  it('is told so when it introduces itself with anything else', async () => {
    const { clock, device, coordinator, known } = await aPair();
    coordinator.handle(() => undefined);
    known.delete(device.self);
    // Under one signature with a hello, so introduced.
    const outcomes = [
      device.request(coordinator.self, { hello: {} }, ask),
      device.request(coordinator.self, { taskOutcome: {} }, ask),
    ];
    expect(await clock.until(Promise.all(outcomes.map(rejectionOf)))).toEqual([undefined, 'device.unknown']);
  });

  it.each([
    ['not been let in', false],
    ['joined', true],
  ])('is heard once when its hello is replayed by somebody else and it has %s', async (_what, joins) => {
    const { clock, hub, device, coordinator, coordinatorLink, known } = await aPair();
    const frames: Uint8Array[] = [];
    const end = coordinatorLink.subscribe({ onFrame: (frame) => frames.push(frame) });
    let handled = 0;
    coordinator.handle(({ sender }) => {
      handled += 1;
      if (joins) known.set(sender.id, sender);
      return { payload: { welcome: {} } };
    });
    known.delete(device.self);
    await clock.until(device.request(coordinator.self, { hello: {} }, ask));
    end();
    const replayer = hub.link('somebody');
    await replayer.start(never);
    for (const frame of frames) await replayer.send(coordinator.self, frame);
    await clock.advance(10);
    expect(frames).toHaveLength(1);
    expect(handled).toBe(1);
    expect(coordinator.refused.get('message.replayed')).toBe(joins ? 1 : undefined);
  });

  it('in any number does not push out what others were answered, nor fill the memory', async () => {
    const { clock, hub, device, coordinator } = await aPair({ coordinator: { strangerLimit: 8 } });
    const waiting: (() => void)[] = [];
    let handledForDevice = 0;
    coordinator.handle(({ known }) => {
      if (known) {
        handledForDevice += 1;
        return undefined;
      }
      return new Promise((resolve) => waiting.push(() => resolve(undefined)));
    });
    await clock.until(device.request(coordinator.self, { goodbye: {} }, ask));
    const random = seededRandom(5);
    for (let i = 0; i < 200; i++) {
      const stranger = newIdentity('device', random);
      const link = hub.link(stranger.id);
      await link.start(never);
      const hello = {
        recipient: coordinator.self,
        sequence: 1,
        sentAtMs: 0,
        messages: [{ id: 1, hello: {} }],
        introduce: true,
      };
      await link.send(coordinator.self, sealEnvelope(stranger, hello));
    }
    await clock.advance(10);
    // The handler is busy with eight of them; the others were refused, and the device is served all the same.
    expect(waiting).toHaveLength(8);
    await clock.until(device.request(coordinator.self, { goodbye: {} }, ask));
    expect(handledForDevice).toBe(2);
    for (const finish of waiting) finish();
    await clock.advance(10);
  });
});
