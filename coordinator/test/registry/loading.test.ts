import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { PlacementCandidate } from '../../src/domain/index.ts';
import { aChoice, place, type Work } from '../../src/placement/index.ts';
import { FleetDevice, shareOf } from '../../src/registry/index.ts';
import { aCapability, aDeviceRecord, aProfile, aTelemetry } from '../support/builders.ts';
import { aFleet, aPolicy, someWork } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

const telemetry = aTelemetry();
const timings = { queuedMs: 0, transferMs: 0, loadMs: 1_000, decodeMs: 0, inferenceMs: 20, totalMs: 1_020 };

/** Takes 1,000 ms to load the model, 20 ms to run it. */
function aLoader(taskSlots: number): FleetDevice {
  const profile = aProfile({ model: 'm', loadMs: 1_000, p50Ms: 20, p95Ms: 20 });
  const record = aDeviceRecord({ profiles: [profile], capability: aCapability({ taskSlots }) });
  const device = new FleetDevice(record, () => undefined as never, 0);
  device.presence = 'online';
  device.telemetry = telemetry;
  return device;
}

const work: Work = someWork({ choices: [aChoice('m', aVariant({ name: 'int8' }), 0.3)] });

function expectedOn(device: FleetDevice, nowMs: number): PlacementCandidate {
  const plan = place(aFleet([device]), work, { nowMs, wallMs: nowMs, random: seededRandom(1), ...aPolicy });
  if (plan.kind === 'unplaced') throw new Error(plan.reason);
  return plan.placement.chosen;
}

/** Work is placed there, as the dispatcher does it. */
function give(device: FleetDevice, nowMs: number) {
  const share = shareOf(expectedOn(device, nowMs), nowMs);
  device.take(share);
  return share;
}

describe('a model that work with a device loads', () => {
  it('is loaded once: the next waits behind it', () => {
    const device = aLoader(1);
    give(device, 0);
    expect(expectedOn(device, 0)).toMatchObject({ queueMs: 1_020, loadMs: 0, totalMs: 1_040 });
    give(device, 0);
    expect(device.backlog.meanMs).toBe(1_040);
  });

  it('is waited for where another slot is free, for as long as it still takes', () => {
    const device = aLoader(2);
    give(device, 0);
    expect(expectedOn(device, 300)).toMatchObject({ queueMs: 0, loadMs: 700 });
    expect(expectedOn(device, 5_000)).toMatchObject({ queueMs: 0, loadMs: 0 });
  });

  it('is not believed loaded when the work ended without it', () => {
    const device = aLoader(2);
    const first = give(device, 0);
    const second = give(device, 100);
    device.drop(first);
    expect(expectedOn(device, 500)).toMatchObject({ loadMs: 500 });
    device.drop(second);
    expect(expectedOn(device, 2_000)).toMatchObject({ loadMs: 1_000 });
  });

  it('is in memory once it has run', () => {
    const device = aLoader(1);
    const share = give(device, 0);
    device.learn('m', 'int8', timings, 0, 1_020);
    device.drop(share);
    expect(expectedOn(device, 1_020)).toMatchObject({ queueMs: 0, loadMs: 0 });
  });
});
