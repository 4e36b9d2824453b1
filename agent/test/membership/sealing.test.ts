import { describe, expect, it } from 'vitest';
import { aFleet, aNoop, aTask, never } from '../support/a-fleet.ts';

describe('an agent that was told to seal', () => {
  it('joins, works and says goodbye, and all of it is sealed', async () => {
    const { clock, coordinator, identity, agent } = await aFleet({ config: { seal: true } });
    await clock.until(coordinator.offer(identity.id, aNoop().assignment));
    await clock.until(coordinator.until(() => coordinator.outcomes.length === 1));
    await clock.until(agent.drain(never));
    expect([...coordinator.sealed].sort()).toEqual([...new Set(coordinator.heard)].sort());
    expect(coordinator.heard).toContain('goodbye');
  });

  it('goes on after its coordinator was started again and knows of no session', async () => {
    const { clock, coordinator, agent } = await aFleet({ config: { seal: true } });
    await coordinator.restart();
    const before = coordinator.telemetry.length;
    await clock.until(coordinator.until(() => coordinator.telemetry.length > before));
    expect(agent.status().membership).toBe('joined');
    expect([...coordinator.sealed].sort()).toEqual([...new Set(coordinator.heard)].sort());
  });
});

describe('an agent whose coordinator has come to require sealing', () => {
  it('seals from then on, keeps that for its next start, and loses no result over it', async () => {
    const { clock, coordinator, identity, agent, store } = await aFleet();
    const pinned = { publicKey: coordinator.identity.publicKey, addresses: ['mqtt://a:1'] };
    await store.membership.pin(pinned);
    const { assignment, input } = aTask();
    await clock.until(coordinator.offer(identity.id, assignment, [input]));
    coordinator.requiresSealing = true;
    await clock.until(coordinator.until(() => coordinator.outcomes.length === 1));
    await clock.until(coordinator.until(() => coordinator.sealed.has('telemetry')));
    expect(coordinator.sealed.has('taskOutcome')).toBe(true);
    expect(agent.status().membership).toBe('joined');
    expect(store.membership.pinned()).toEqual({ ...pinned, seal: true });
    expect(coordinator.refused.get('seal.required')).toBeGreaterThan(0);
  });
});
