import { createLogger, type LogRecord, newIdentity, sealEnvelope, seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aFleet, aNoop, aTask, never } from '../support/a-fleet.ts';

describe('joining', () => {
  it('says hello with a proof of the token, the capability and nothing of its secret', async () => {
    const { coordinator, agent } = await aFleet();
    expect(agent.status().welcome?.deviceName).toBe('pi-kitchen');
    const [hello] = coordinator.hellos;
    expect(hello?.tokenId).toBe('tok_1');
    expect(hello?.capability).toMatchObject({ hostName: 'test', cores: 4 });
    const proof = Buffer.from(hello?.tokenProof ?? []);
    expect(proof).toHaveLength(32);
    expect(proof.includes(Buffer.from(coordinator.token.secret))).toBe(false);
  });

  it('knows its battery before it says hello: what is offered at once is refused when the battery is low', async () => {
    const { coordinator, clock, machine, identity, agent } = await aFleet({ started: false });
    machine.condition_ = { ...machine.condition_, batteryPct: 5, charging: false };
    await agent.start(never);
    await clock.until(coordinator.until(() => coordinator.hellos.length === 1));
    const admission = await clock.until(coordinator.offer(identity.id, aNoop().assignment));
    expect(coordinator.telemetry.length).toBeLessThan(2);
    expect(admission).toMatchObject({ accepted: false, reason: 'battery' });
  });

  it('is refused with a wrong token, and the refusal is what joined() rejects with', async () => {
    const { coordinator, clock, make } = await aFleet({ started: false });
    const agent = make({ token: { ...coordinator.token, secret: seededRandom(1).bytes(16) } });
    await agent.start(never);
    await expect(clock.until(agent.joined())).rejects.toMatchObject({ code: 'token.refused' });
    expect(coordinator.known.size).toBe(0);
  });

  it.each([
    ['has something new to show to others every hour, and keeps it for when it is started again', true, 3],
    ['does not say hello again and again when it shows nothing to anybody', false, 0],
  ])('%s', async (_, shows, times) => {
    const { clock, coordinator, store, agent } = await aFleet({ shows, started: false });
    coordinator.welcome = { ...coordinator.welcome, telemetryIntervalMs: 600_000, livenessTimeoutMs: 3_600_000 };
    await agent.start(never);
    await clock.until(agent.joined());
    await clock.advance(60_000);
    const before = coordinator.hellos.length;
    const first = store.membership.shown();
    await clock.advance(3.5 * 3_600_000);
    expect(coordinator.hellos.length - before).toBe(times);
    expect(store.membership.shown() === undefined).toBe(!shows);
    if (shows) expect([...(store.membership.shown() ?? [])]).not.toEqual([...(first ?? [])]);
    expect(agent.status().membership).toBe('joined');
  });

  it('waits for approval, says so once, and goes on by itself when it has it', async () => {
    const said: LogRecord[] = [];
    const logger = createLogger((record) => said.push(record), 'warn');
    const { clock, coordinator, agent, identity } = await aFleet({ started: false, logger });
    coordinator.pending.add(identity.id);
    await agent.start(never);
    await clock.advance(600_000);
    expect(agent.status().membership).toBe('pending');
    expect(said.map(({ message }) => message)).toEqual(['this device waits for approval. It goes on by itself then']);
    coordinator.pending.clear();
    await clock.advance(6_000);
    expect(agent.status().membership).toBe('joined');
    await agent.stop();
  });

  it('waits for a coordinator that is away, for ever, and joins when it comes', async () => {
    const { clock, coordinator, agent } = await aFleet({ started: false });
    await coordinator.link.stop();
    await agent.start(never);
    await clock.advance(3_600_000);
    expect(agent.status().membership).toBe('joining');
    await coordinator.link.start(never);
    await clock.until(agent.joined(), 60_000);
  });

  it('joins a coordinator that has a whole fleet before it, and takes 40 s to answer', async () => {
    const { clock, agent } = await aFleet({ started: false, hub: { route: () => [20_000] } });
    await agent.start(never);
    await clock.until(agent.joined(), 300_000);
  });

  it('says once that nobody answers, also where a broker was reached', async () => {
    const warned: LogRecord[] = [];
    const logger = createLogger((record) => warned.push(record), 'warn');
    const { clock, agent } = await aFleet({ started: false, logger, hub: { route: () => [] } });
    await agent.start(never);
    await clock.advance(600_000);
    expect(warned.map(({ message }) => message)).toEqual([
      'the coordinator does not answer: is it the one that runs at this address?',
    ]);
  });

  it('says hello again with what was found out about runtimes and decoders', async () => {
    const { clock, coordinator } = await aFleet();
    await clock.until(coordinator.until(() => coordinator.hellos.length === 2));
    expect(coordinator.hellos[1]?.capability).toMatchObject({
      runtimes: ['simulated/1 cpu'],
      decoders: ['h264'],
      taskSlots: 1,
    });
  });

  it('knows them at once after a restart', async () => {
    const { clock, coordinator, agent, make } = await aFleet();
    await clock.until(coordinator.until(() => coordinator.hellos.length === 2));
    await agent.stop();
    const again = make();
    await again.start(never);
    await clock.until(again.joined());
    expect(coordinator.hellos.at(-1)?.capability?.runtimes).toEqual(['simulated/1 cpu']);
    await clock.advance(20_000);
    expect(coordinator.hellos).toHaveLength(3);
  });

  const twin = newIdentity('device', seededRandom(4321));
  const flipped = (frame: Uint8Array) => frame.map((byte, at) => (at === frame.length >> 1 ? byte ^ 1 : byte));
  it.each<[string, (frame: Uint8Array) => Uint8Array, string?]>([
    ['cut short', (frame) => frame.subarray(0, -1)],
    ['cut in half', (frame) => frame.subarray(0, frame.length >> 1)],
    ['with one bit changed', flipped],
    ['to another device', (frame) => frame, twin.id],
  ])(
    'does no work that the coordinator asks for in words %s, and does it when it is asked rightly',
    async (...attack) => {
      const [, change, recipient] = attack;
      const { clock, identity, coordinator } = await aFleet();
      const seal = (to: string, sequence: number) =>
        sealEnvelope(coordinator.identity, {
          recipient: to,
          sequence,
          sentAtMs: clock.nowMs(),
          messages: [{ id: sequence, taskAssignment: aNoop().assignment }],
        });
      await coordinator.link.send(identity.id, change(seal(recipient ?? identity.id, 1_000_000)));
      await clock.advance(100);
      expect(coordinator.outcomes).toEqual([]);
      await coordinator.link.send(identity.id, seal(identity.id, 1_000_001));
      await clock.advance(100);
      expect(coordinator.outcomes).toHaveLength(1);
    },
  );

  it('believes nobody but the pinned coordinator: a stranger and a replay are dropped', async () => {
    const { clock, hub, agent, identity, coordinator } = await aFleet();
    const stranger = newIdentity('coordinator', seededRandom(1234));
    const strangersLink = hub.link(stranger.id);
    await strangersLink.start(never);
    const noop = aNoop();
    const forged = sealEnvelope(stranger, {
      recipient: identity.id,
      sequence: 1,
      sentAtMs: clock.nowMs(),
      messages: [{ id: 1, taskAssignment: noop.assignment }],
      introduce: true,
    });
    await strangersLink.send(identity.id, forged);
    await clock.advance(100);
    expect(agent.status().running).toBe(0);
    expect(coordinator.outcomes).toEqual([]);
    // The same words from the coordinator itself are believed once, and not a second time.
    const genuine = sealEnvelope(coordinator.identity, {
      recipient: identity.id,
      sequence: 1_000_000,
      sentAtMs: clock.nowMs(),
      messages: [{ id: 77, taskAssignment: noop.assignment }],
    });
    await coordinator.link.send(identity.id, genuine);
    await coordinator.link.send(identity.id, genuine);
    await clock.advance(100);
    expect(coordinator.outcomes).toHaveLength(1);
  });
});

describe('liveness', () => {
  it('reports how the device is about as often as it was told to, never in step', async () => {
    const { clock, coordinator, machine } = await aFleet();
    machine.condition_ = { cpuLoad: 0.5, memoryAvailableBytes: 1, batteryPct: 80, charging: true, temperatureC: 50 };
    const before = coordinator.telemetry.length;
    await clock.advance(100_000);
    const reports = coordinator.telemetry.length - before;
    expect(reports).toBeGreaterThanOrEqual(18);
    expect(reports).toBeLessThanOrEqual(23);
    expect(coordinator.telemetry.at(-1)).toMatchObject({
      cpuLoad: 0.5,
      batteryPct: 80,
      charging: true,
      temperatureC: 50,
    });
  });

  it('says hello again after a cut, with the work it has', async () => {
    const { clock, coordinator, agent } = await aFleet({ inferenceMs: 100_000 });
    await clock.advance(1_000);
    const hellos = coordinator.hellos.length;
    const { assignment, input, attemptId } = aTask();
    await clock.until(coordinator.offer(agent.id, assignment, [input]));
    await coordinator.link.stop();
    await clock.advance(5_000);
    await coordinator.link.start(never);
    await clock.until(coordinator.until(() => coordinator.hellos.length > hellos));
    expect(coordinator.hellos.at(-1)?.runningAttempts).toEqual([attemptId]);
  });

  it('counts what is done and not delivered as work it has: a coordinator must not try it elsewhere', async () => {
    const { clock, coordinator, agent } = await aFleet({ inferenceMs: 500 });
    await clock.advance(1_000);
    const hellos = coordinator.hellos.length;
    const { assignment, input, attemptId } = aTask();
    await clock.until(coordinator.offer(agent.id, assignment, [input]));
    await coordinator.link.stop();
    await clock.advance(5_000);
    expect(agent.status()).toMatchObject({ running: 0, outbox: { waiting: 1 } });
    await coordinator.link.start(never);
    await clock.until(coordinator.until(() => coordinator.hellos.length > hellos));
    expect(coordinator.hellos.at(-1)?.runningAttempts).toEqual([attemptId]);
  });

  it('notices a coordinator that is silent, and joins again when it speaks', async () => {
    let dead = false;
    const { clock, coordinator, agent } = await aFleet({ hub: { route: () => (dead ? [] : [1]) } });
    await clock.advance(10_000);
    const hellos = coordinator.hellos.length;
    dead = true;
    await clock.advance(60_000);
    expect(agent.status().membership).toBe('joining');
    dead = false;
    await clock.advance(60_000);
    expect(coordinator.hellos.length).toBeGreaterThan(hellos);
    expect(agent.status().membership).toBe('joined');
  });

  it('is not taken for gone because some of what it said was lost: it has eight tries and more before', async () => {
    let lost = 0;
    let losing = false;
    const { clock, coordinator, agent } = await aFleet({
      hub: {
        route: () => {
          if (!losing || lost === 8) return [1];
          lost++;
          return [];
        },
      },
    });
    await clock.advance(10_000);
    const { welcome } = coordinator;
    const hellos = coordinator.hellos.length;
    losing = true;
    const before = coordinator.telemetry.length;
    await clock.advance(welcome.telemetryIntervalMs * 1.1 + welcome.livenessTimeoutMs);
    expect(lost).toBe(8);
    expect(coordinator.telemetry.length).toBeGreaterThan(before);
    expect(coordinator.hellos).toHaveLength(hellos);
    expect(agent.status().membership).toBe('joined');
  });

  it('joins again with a coordinator that has forgotten it', async () => {
    const { clock, coordinator, agent } = await aFleet();
    await clock.advance(10_000);
    coordinator.known.clear();
    await clock.advance(120_000);
    expect(coordinator.known.has(agent.id)).toBe(true);
    expect(agent.status().membership).toBe('joined');
  });
});

describe('leaving', () => {
  it('says goodbye after everything else', async () => {
    const { clock, coordinator, agent } = await aFleet();
    await clock.advance(1_000);
    await clock.until(agent.drain(never));
    await agent.stop();
    expect(coordinator.goodbyes).toEqual(['stopped']);
    expect(coordinator.heard.at(-1)).toBe('goodbye');
  });

  it('does not wait long for a coordinator that is away', async () => {
    const { clock, coordinator, agent } = await aFleet();
    await clock.advance(1_000);
    await coordinator.link.stop();
    const before = clock.monotonicMs();
    await clock.until(agent.drain(never));
    await agent.stop();
    expect(clock.monotonicMs() - before).toBeLessThan(3_000);
  });
});
