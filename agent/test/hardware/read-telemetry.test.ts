import { describe, expect, it } from 'vitest';
import { busyShare, readTelemetry, recordedSystemReader } from '../../src/hardware/index.ts';
import { aMachine, changed, type MachineName, machine, machineNames, never } from './machines.ts';

const read = (name: MachineName) => readTelemetry(recordedSystemReader(machine(name)), never);

describe('the telemetry of a recorded machine', () => {
  it('a Pi 4 on a weak supply throttles now, and says why', async () => {
    const telemetry = await read('raspberry-pi-4');
    expect(telemetry.throttling).toEqual({
      active: true,
      reasons: ['under-voltage', 'throttled'],
      earlier: ['under-voltage', 'throttled'],
    });
    expect(telemetry.temperatureC).toBe(61.8);
    expect(telemetry.temperatures).toEqual([{ name: 'cpu-thermal', celsius: 61.8 }]);
    expect(telemetry.load).toEqual({
      average1m: 0.42,
      ticks: { total: 1_881_190, busy: 73_460 },
      memoryAvailableBytes: 3_381_350_400,
      cpuMhz: 1500,
      cpuLimitMhz: 1800,
    });
    expect(telemetry.unknown).toEqual([]);
  });

  it('a Pi 4 whose supply was weak before does not throttle now', async () => {
    const path = '/sys/devices/platform/soc/soc:firmware/get_throttled';
    const recovered = changed(machine('raspberry-pi-4'), { [path]: 'd0000\n' });
    const telemetry = await readTelemetry(recordedSystemReader(recovered), never);
    expect(telemetry.throttling).toEqual({
      active: false,
      reasons: [],
      earlier: ['under-voltage', 'throttled', 'temperature-limit'],
    });
  });

  it('a Pi 5 without the file is asked through vcgencmd, and a fan that runs is not throttling', async () => {
    const reader = recordedSystemReader(machine('raspberry-pi-5'));
    const telemetry = await readTelemetry(reader, never);
    expect(telemetry.throttling).toEqual({ active: false, reasons: [], earlier: [] });
    expect(reader.asked.commands).toBe(1);
  });

  it('a Pi 5 whose kernel has the file is not asked through a program', async () => {
    const path = '/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled';
    const reader = recordedSystemReader(changed(machine('raspberry-pi-5'), { [path]: '80008\n' }));
    const telemetry = await readTelemetry(reader, never);
    expect(telemetry.throttling).toMatchObject({ active: true, reasons: ['temperature-limit'] });
    expect(reader.asked.commands).toBe(0);
  });

  it("a Nano's hottest is the CPU, not the always-on sensor or the 100 degrees of its power chip", async () => {
    expect((await read('jetson-nano')).temperatureC).toBe(33.5);
  });

  it('an Orin Nano with three sensors that refuse to answer shows the others', async () => {
    const telemetry = await read('jetson-orin-nano');
    expect(telemetry.temperatures.map(({ name }) => name)).toEqual([
      'cpu-thermal',
      'gpu-thermal',
      'soc0-thermal',
      'soc1-thermal',
      'soc2-thermal',
      'tj-thermal',
    ]);
    expect(telemetry.throttling.active).toBe(false);
  });

  it('an Orin Nano whose GPU is slowed down throttles', async () => {
    const slowed = changed(machine('jetson-orin-nano'), { '/sys/class/thermal/cooling_device3/cur_state': '2\n' });
    const telemetry = await readTelemetry(recordedSystemReader(slowed), never);
    expect(telemetry.throttling).toMatchObject({ active: true, reasons: ['cooling'] });
  });

  it('an RK3588 whose little cores are slowed down throttles', async () => {
    expect((await read('orange-pi-5')).throttling).toMatchObject({ active: true, reasons: ['cooling'] });
  });

  it('a laptop on battery shows its level and its draw, and its idle injection of -1 is not throttling', async () => {
    const telemetry = await read('laptop-on-battery');
    expect(telemetry.powerSource).toBe('battery');
    expect(telemetry.battery).toEqual({
      levelPct: 61,
      state: 'discharging',
      charging: false,
      remainingMj: 113_868_000,
      drawMw: 9758,
    });
    expect(telemetry.temperatureC).toBe(47);
    expect(telemetry.throttling.active).toBe(false);
  });

  it('a phone shows its battery, whose temperature is the only one it tells', async () => {
    const telemetry = await read('phone-termux');
    expect(telemetry.powerSource).toBe('battery');
    expect(telemetry.battery).toEqual({ levelPct: 45, state: 'discharging', charging: false, temperatureC: 34.5 });
    expect(telemetry.temperatureC).toBe(34.5);
    expect(telemetry.load).toMatchObject({ average1m: 6.25, cpuMhz: 1421 });
    expect(telemetry.load.ticks).toBeUndefined();
  });

  it('a container has what is left of its limit, with the cache that it can give up', async () => {
    expect((await read('container-limited')).load.memoryAvailableBytes).toBe(536_870_912 - (201_326_592 - 41_943_040));
  });
});

it.each(machineNames.filter((name) => !/^raspberry-pi-5|^phone/.test(name)))(
  'the telemetry of %s starts no program',
  async (name) => {
    const reader = recordedSystemReader(machine(name));
    await readTelemetry(reader, never);
    expect(reader.asked.commands).toBe(0);
  },
);

it('a machine that tells nothing is said to tell nothing', async () => {
  const telemetry = await readTelemetry(recordedSystemReader(aMachine()), never);
  expect(telemetry).toEqual({
    powerSource: 'mains',
    temperatures: [],
    throttling: { reasons: [], earlier: [] },
    load: {},
    unknown: ['temperature: no sensor', 'throttling: nothing tells'],
  });
});

it('a machine that is not Linux does not claim to be on mains', async () => {
  const telemetry = await readTelemetry(recordedSystemReader(aMachine({}, { platform: 'win32' })), never);
  expect(telemetry.powerSource).toBe('unknown');
});

describe('the share of time that processors were busy', () => {
  const load = (busy: number, total: number) => ({ ticks: { busy, total } });

  it('is the busy part of what passed between two readings', () => {
    expect(busyShare(load(100, 1000), load(150, 1200))).toBe(0.25);
  });

  it('is unknown when no time passed, when counters went back, or when there are none', () => {
    expect(busyShare(load(1, 10), load(1, 10))).toBeUndefined();
    expect(busyShare(load(1, 10), load(0, 5))).toBeUndefined();
    expect(busyShare({}, load(0, 5))).toBeUndefined();
  });

  it('stays between 0 and 1 when idle time is counted backwards, as it is on some kernels', () => {
    expect(busyShare(load(0, 100), load(50, 120))).toBe(1);
    expect(busyShare(load(50, 100), load(40, 120))).toBe(0);
  });
});
