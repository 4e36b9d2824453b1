import { seededRandom, Telemetry } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { exactly, place } from '../../src/placement/index.ts';
import { FleetDevice } from '../../src/registry/index.ts';
import { aCapability, aDeviceRecord } from '../support/builders.ts';
import { aFleet, aPolicy, someWork } from '../support/fleets.ts';

/** 36 kJ: 360 J are a percent of it. */
const capability = aCapability({ hasBattery: true, powerSource: 'battery', batteryWh: 10, idleWatts: 1 });
const says = (batteryPct: number | null) =>
  Telemetry.decode(Telemetry.encode({ charging: false, ...(batteryPct !== null && { batteryPct }) }));

function aPhone(batteryPct: number): FleetDevice {
  const device = new FleetDevice(aDeviceRecord({ capability }), () => undefined as never, 0);
  device.presence = 'online';
  device.telemetry = says(batteryPct);
  return device;
}

function worked(device: FleetDevice, energyJ: number): void {
  const share = { time: exactly(10), energyJ };
  device.take(share);
  device.drop(share);
}

const takesWork = (device: FleetDevice) =>
  place(aFleet([device]), someWork(), { nowMs: 0, wallMs: 0, random: seededRandom(1), ...aPolicy }).kind === 'placed';

describe('the level of a battery', () => {
  it('is what was said last, less what was drawn since, when nothing is said of it any more', () => {
    const phone = aPhone(31);
    expect(takesWork(phone)).toBe(true);
    phone.telemetry = says(null);
    worked(phone, 400);
    phone.telemetry = says(null);
    expect(takesWork(phone)).toBe(false);
    phone.telemetry = says(35);
    expect(takesWork(phone)).toBe(true);
  });

  it('is waited for after the device was away, when it is one that says it', () => {
    const phone = aPhone(80);
    phone.presence = 'offline';
    phone.presence = 'online';
    phone.telemetry = says(null);
    expect(takesWork(phone)).toBe(false);
    phone.telemetry = says(80);
    expect(takesWork(phone)).toBe(true);
  });

  it('does not forget what was drawn since because the device got another name', () => {
    const phone = aPhone(31);
    worked(phone, 400);
    phone.setRecord({ ...phone.record, name: 'another' });
    expect(takesWork(phone)).toBe(false);
  });
});
