import { describe, expect, it } from 'vitest';
import { FleetDevice } from '../../src/registry/index.ts';
import { aCapability, aDeviceRecord, aProfile, aTelemetry } from '../support/builders.ts';

const megabyte = 1e6;
const telemetry = aTelemetry({ memoryAvailableBytes: 300 * megabyte });
const noShare = { load: 0, watts: 0, decode: 0 };

function aDevice(memoryBytes = 1_000 * megabyte): FleetDevice {
  const profiles = [
    aProfile({ model: 'a', memoryBytes: 200 * megabyte }),
    aProfile({ model: 'b', memoryBytes: 100 * megabyte }),
  ];
  return new FleetDevice(
    aDeviceRecord({ profiles, capability: aCapability({ memoryBytes }) }),
    () => {
      throw new Error('nobody asks for its key');
    },
    0,
  );
}

describe('the memory that a model may take of a device', () => {
  it('is what nobody uses, and what models take that could be unloaded', () => {
    const device = aDevice();
    device.telemetry = telemetry;
    expect(device.freeBytes).toBe(300 * megabyte);
    device.telemetry = { ...telemetry, loadedModels: ['a/int8', 'b/int8', 'unknown/int8'] };
    expect(device.freeBytes).toBe(600 * megabyte);
    device.setCameras(noShare, 1, new Set(['a/int8']));
    expect(device.freeBytes).toBe(400 * megabyte);
  });

  it('is never more than it has, and all of that until it has said more', () => {
    const device = aDevice(500 * megabyte);
    expect(device.freeBytes).toBe(500 * megabyte);
    device.telemetry = { ...telemetry, loadedModels: ['a/int8', 'b/int8'] };
    expect(device.freeBytes).toBe(500 * megabyte);
  });

  it('is not known of a device that cannot tell', () => {
    const device = aDevice(0);
    device.telemetry = { ...telemetry, memoryAvailableBytes: 0 };
    expect(device.freeBytes).toBe(Number.POSITIVE_INFINITY);
  });

  it('is news to whoever keeps devices in order when it changes by much', () => {
    const device = aDevice();
    device.telemetry = telemetry;
    let news = 0;
    device.watcher = { put: () => (news += 1), shift: () => {} };
    device.telemetry = { ...telemetry, memoryAvailableBytes: 300 * megabyte + 4_096 };
    expect(news).toBe(0);
    device.telemetry = { ...telemetry, memoryAvailableBytes: 50 * megabyte };
    expect(news).toBe(1);
  });
});
