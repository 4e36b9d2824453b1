import { decodeJoinToken, type Link, newIdentity, proveToken, sealEnvelope, seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCapability, aSpec } from '../support/builders.ts';
import { never } from '../support/scripted-device.ts';
import { aWorld } from '../support/world.ts';

describe('a device', () => {
  it('joins with a token, is recorded before it is welcomed, and gets the labels of the token', async () => {
    const world = await aWorld();
    const device = await world.joined({}, { room: 'attic' });
    expect(world.disk.devices.get(device.id)).toMatchObject({ id: device.id, labels: { room: 'attic' }, name: 'pi' });
    expect(device.welcome).toMatchObject({ deviceName: 'pi', labels: { room: 'attic' }, telemetryIntervalMs: 2_000 });
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ presence: 'online', running: 0 });
  });

  it('joins when every hello and every welcome is lost several times', async () => {
    const random = seededRandom(3);
    const world = await aWorld({ hub: { route: () => (random.next() < 0.6 ? [] : [1]) } });
    await world.joined();
    expect(world.coordinator.devices.list()).toHaveLength(1);
    expect(world.coordinator.tokens.list()).toMatchObject([{ usesLeft: 0 }]);
  });

  it('takes one use of its token when it says hello again before the first was recorded', async () => {
    const world = await aWorld();
    const device = world.aDevice();
    await device.connect();
    const word = await world.token();
    device.pin(word);
    const { tokenId, secret } = decodeJoinToken(word);
    const hello = () => device.hello({ tokenId, tokenProof: proveToken(secret, device.id) });
    await world.clock.until(Promise.all([hello(), hello()]));
    expect(world.coordinator.devices.list()).toHaveLength(1);
    expect(world.coordinator.tokens.list()).toMatchObject([{ usesLeft: 99 }]);
  });

  it('is refused without a token, and told to join', async () => {
    const world = await aWorld();
    const stranger = world.aDevice();
    await stranger.connect();
    stranger.pin(await world.token());
    await expect(world.clock.until(stranger.hello())).rejects.toMatchObject({
      code: 'device.unknown',
      message: expect.stringContaining('join with a token'),
    });
  });

  it('is refused with the proof of another device', async () => {
    const world = await aWorld();
    const thief = world.aDevice();
    await thief.connect();
    const word = await world.token();
    thief.pin(word);
    const { tokenId, secret } = decodeJoinToken(word);
    const tokenProof = proveToken(secret, world.aDevice().id);
    await expect(world.clock.until(thief.hello({ tokenId, tokenProof }))).rejects.toMatchObject({
      code: 'token.refused',
    });
    expect(world.coordinator.tokens.list()).toMatchObject([{ usesLeft: 100 }]);
  });

  it.each([
    ['used up', 'token is used up'],
    ['expired', 'token has expired'],
    ['revoked', 'not known here'],
  ])('is refused with a token that is %s', async (how, why) => {
    const world = await aWorld();
    const { word, id } = await world.clock.until(
      world.coordinator.tokens.create({ uses: 1, lifetimeMs: 10_000, labels: {} }),
    );
    if (how === 'used up') {
      const first = world.aDevice();
      await first.connect();
      await world.clock.until(first.join(word));
    }
    if (how === 'expired') await world.clock.advance(11_000);
    if (how === 'revoked') await world.clock.until(world.coordinator.tokens.revoke(id));
    const late = world.aDevice();
    await late.connect();
    await expect(world.clock.until(late.join(word))).rejects.toMatchObject({
      code: 'token.refused',
      message: expect.stringContaining(why),
    });
    expect(world.coordinator.devices.list().some((device) => device.id === late.id)).toBe(false);
  });

  it('is refused with a token of another coordinator, and what it says to that one is not heard here', async () => {
    const world = await aWorld();
    const other = await aWorld({ seed: 2 });
    const { tokenId, secret, coordinator } = decodeJoinToken(await other.token());
    const device = world.aDevice();
    await device.connect();
    device.pin(await world.token());
    const tokenProof = proveToken(secret, device.id);
    await expect(world.clock.until(device.hello({ tokenId, tokenProof }))).rejects.toMatchObject({
      code: 'token.refused',
      message: expect.stringContaining('not known here'),
    });
    const messages = [{ id: 1, hello: { tokenId, tokenProof } }];
    const said = { recipient: coordinator.id, sequence: 1, sentAtMs: 1, messages, introduce: true };
    await device.link.send(world.identity.id, sealEnvelope(device.identity, said));
    await world.clock.advance(100);
    expect(world.coordinator.statistics().framesRefused).toEqual({ 'message.misaddressed': 1 });
    expect(world.coordinator.devices.list()).toEqual([]);
  });

  it('does not use up a token when it could not be recorded', async () => {
    const world = await aWorld();
    const word = await world.token(1);
    world.disk.failure = new Error('disk');
    const device = world.aDevice();
    await device.connect();
    await expect(world.clock.until(device.join(word))).rejects.toMatchObject({ code: 'io.failed' });
    world.disk.failure = undefined;
    await world.clock.until(device.join(word));
    expect(world.coordinator.devices.list()).toHaveLength(1);
  });

  it('is known again after a restart, without a token', async () => {
    const world = await aWorld();
    const device = await world.joined();
    await world.restartAfterCrash();
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ presence: 'suspect' });
    await world.clock.until(device.hello());
    expect(world.coordinator.devices.get(device.id).presence).toBe('online');
  });

  it('is refused once it is revoked, and its work goes elsewhere', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = () => undefined;
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    await world.clock.advance(10);
    const other = await world.joined();
    await world.clock.until(world.coordinator.devices.revoke(device.id));
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.revoked' });
    const ended = await world.ended(task.id);
    expect(ended.attempts.at(-1)).toMatchObject({ state: 'succeeded', device: other.id });
    await world.restartAfterCrash();
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.revoked' });
  });

  it('is refused when the fleet is full', async () => {
    const world = await aWorld({ config: { deviceLimit: 1 } });
    await world.joined();
    const second = world.aDevice();
    await second.connect();
    await expect(world.clock.until(second.join(await world.token()))).rejects.toMatchObject({ code: 'queue.full' });
  });

  it('cannot be a coordinator', async () => {
    const world = await aWorld();
    const impostor = world.aDevice({ identity: newIdentity('coordinator', world.random) });
    await impostor.connect();
    await expect(world.clock.until(impostor.join(await world.token()))).rejects.toMatchObject({
      code: 'device.unknown',
    });
  });
});

describe('presence', () => {
  it('is online while a device reports, and offline after the liveness timeout', async () => {
    const world = await aWorld();
    const device = await world.joined();
    await world.clock.advance(60_000);
    expect(world.coordinator.devices.get(device.id).presence).toBe('online');
    await device.die();
    expect(world.coordinator.devices.get(device.id).presence).toBe('suspect');
    await world.clock.advance(13_000);
    expect(world.coordinator.devices.get(device.id).presence).toBe('offline');
    expect(world.coordinator.health()).toMatchObject({ status: 'degraded', devices: { online: 0, known: 1 } });
  });

  it('is only suspect when a link says that a device is gone: work is not taken from it', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = () => undefined;
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    await world.clock.advance(10);
    await device.link.stop();
    expect(world.coordinator.devices.get(device.id).presence).toBe('suspect');
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({ state: 'running' });
    await device.link.start(new AbortController().signal);
    await world.clock.advance(2_500);
    expect(world.coordinator.devices.get(device.id).presence).toBe('online');
  });

  it('ends at once when a device says goodbye', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.telemetry({ goodbye: { reason: 'drained' } });
    await world.clock.advance(10);
    expect(world.coordinator.devices.get(device.id).presence).toBe('offline');
  });
});

describe('what a device says of itself', () => {
  it('is made safe before anything else sees it', async () => {
    const world = await aWorld();
    const device = await world.joined({
      capability: {
        ...aCapability(),
        hostName: `evil\u001b[31m\u202e${'x'.repeat(500)}`,
        cores: 2 ** 31,
        memoryBytes: 2 ** 60,
        taskSlots: 0,
        powerSource: 'nuclear',
        runtimes: Array.from({ length: 1_000 }, (_, n) => `runtime ${n}`),
      },
      profiles: [
        { model: 'tiny-detector', variant: 'int8', sha256: new Uint8Array(32), p50Ms: Number.NaN },
        { model: 'tiny-detector', variant: 'int8', sha256: new Uint8Array(3), p50Ms: 5 },
        { model: '../../etc', variant: 'int8', sha256: new Uint8Array(32), p50Ms: 5 },
        {
          model: 'tiny-detector',
          variant: 'float32',
          sha256: new Uint8Array(32),
          p50Ms: 5,
          confidence: 7,
          loadMs: Number.POSITIVE_INFINITY,
        },
      ],
    });
    const view = world.coordinator.devices.get(device.id);
    expect(view.capability.hostName).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    expect(view.capability.hostName.length).toBeLessThanOrEqual(200);
    expect(view.capability).toMatchObject({ cores: 4_096, taskSlots: 1, powerSource: 'unknown' });
    expect(view.capability.runtimes).toHaveLength(64);
    expect(view.profiles).toMatchObject([
      { variant: 'float32', p50Ms: 5, p95Ms: 5, confidence: 1, loadMs: 86_400_000 },
    ]);
  });

  it('is corrected by later reports of the same variant', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const sha256 = new Uint8Array(32);
    device.telemetry({ profileReport: { profiles: [{ model: 'tiny-detector', variant: 'int8', sha256, p50Ms: 77 }] } });
    device.telemetry({ telemetry: { cpuLoad: Number.NaN, batteryPct: 400, temperatureC: Number.NaN } });
    await world.clock.advance(200);
    const view = world.coordinator.devices.get(device.id);
    expect(view.profiles).toMatchObject([{ p50Ms: 77 }]);
    expect(view.telemetry).toMatchObject({ cpuLoad: 0, batteryPct: 100, temperatureC: null });
    expect(world.disk.devices.get(device.id)?.profiles).toMatchObject([{ p50Ms: 77 }]);
  });
});

describe('the links of a device', () => {
  it('are up as long as their transports say so, and that is known at once', async () => {
    const world = await aWorld();
    const device = await world.joined();
    expect(world.coordinator.devices.get(device.id).link.up).toEqual(['memory']);
    await world.clock.until(device.link.stop());
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ link: { up: [] }, presence: 'suspect' });
  });

  it('are told as the device says, as far as that makes sense', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const said = { kind: 'mqtt\n', up: true, inUse: true, rttMs: Number.NaN, loss: 7 };
    device.telemetry({ telemetry: { links: Array.from({ length: 50 }, () => said) } });
    await world.clock.advance(100);
    const links = world.coordinator.devices.get(device.id).telemetry?.links;
    expect(links).toHaveLength(8);
    expect(links?.[0]).toEqual({ kind: 'mqtt', up: true, inUse: true, rttMs: null, loss: 1 });
  });
});

describe('an operator', () => {
  it('names, labels and drains a device, durably', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const change = { name: 'front door', labels: { floor: '1' }, draining: true };
    const updated = await world.clock.until(world.coordinator.devices.update(device.id, change));
    expect(updated).toMatchObject(change);
    await world.restartAfterCrash();
    expect(world.coordinator.devices.get(device.id)).toMatchObject(change);
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 5_000 })));
    await world.clock.until(device.hello());
    expect(await world.ended(task.id)).toMatchObject({
      state: 'expired',
      reason: expect.stringContaining('is being drained'),
    });
  });

  it.each([
    [{ name: '' }],
    [{ name: 'a\u0000b' }],
    [{ labels: { 'bad name': 'x' } }],
    [{ labels: { room: 'x'.repeat(200) } }],
    [{ labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, 'x'])) }],
  ])('is told what is wrong with %j', async (change) => {
    const world = await aWorld();
    const device = await world.joined();
    await expect(world.clock.until(world.coordinator.devices.update(device.id, change))).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });

  it.each([
    [{ uses: 0, lifetimeMs: 1, labels: {} }, 'uses'],
    [{ uses: 1, lifetimeMs: Number.NaN, labels: {} }, 'lifetimeMs'],
    [{ uses: 1, lifetimeMs: 1, labels: { '': 'x' } }, 'labels'],
  ])('is told what is wrong with a token %j', async (options, field) => {
    const world = await aWorld();
    await expect(world.clock.until(world.coordinator.tokens.create(options))).rejects.toMatchObject({
      code: 'input.invalid',
      facts: { field },
    });
  });

  it('is told that a device or a token is not known', async () => {
    const world = await aWorld();
    expect(() => world.coordinator.devices.get('dev_none')).toThrow(expect.objectContaining({ code: 'not-found' }));
    await expect(world.coordinator.tokens.revoke('tok_none')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('revokes a token at once: who comes while that is written does not bring it back', async () => {
    const world = await aWorld({ storeWriteMs: 50 });
    const word = await world.token(5);
    const [token] = world.coordinator.tokens.list();
    const device = world.aDevice();
    await device.connect();
    const revoked = world.coordinator.tokens.revoke(token?.id ?? '');
    await expect(world.clock.until(device.join(word))).rejects.toMatchObject({ code: 'token.refused' });
    await world.clock.until(revoked);
    expect([...world.disk.tokens.keys()]).toEqual([]);
  });
});

describe('what was recorded on the network and is said again after the coordinator crashed', () => {
  it.each([
    ['a hello with a token', 'join'],
    ['a hello', 'hello'],
    ['a goodbye', 'goodbye'],
  ] as const)('is not believed: %s', async (_, what) => {
    const world = await aWorld();
    const sent: Uint8Array[] = [];
    const wiretapped = (id: string): Link => {
      const link = world.hub.link(id);
      const send = link.send.bind(link);
      return Object.assign(link, {
        send(to: string, frame: Uint8Array) {
          sent.push(frame);
          return send(to, frame);
        },
      });
    };
    const device = await world.joined({ link: wiretapped });
    if (what === 'hello') await world.clock.until(device.hello());
    if (what === 'goodbye') device.telemetry({ goodbye: { reason: 'drained' } });
    await world.clock.advance(100);
    const recorded = sent.at(-1) ?? new Uint8Array();
    await device.die();
    await world.restartAfterCrash();
    const attacker = world.hub.link(device.id);
    await attacker.start(never);
    await attacker.send(world.identity.id, recorded);
    await world.clock.advance(100);
    expect(world.coordinator.statistics().framesRefused).toEqual({ 'message.replayed': 1 });
    expect(world.coordinator.devices.get(device.id).presence).not.toBe('online');
  });
});
