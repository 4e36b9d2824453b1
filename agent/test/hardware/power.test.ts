import { describe, expect, it } from 'vitest';
import { type RecordedSystem, recordedSystemReader } from '../../src/hardware/index.ts';
import { readPower } from '../../src/hardware/power.ts';
import { aMachine } from './machines.ts';

type Properties = Readonly<Record<string, string | number>>;

const uevent = (properties: Properties) =>
  Object.entries(properties)
    .map(([key, value]) => `POWER_SUPPLY_${key}=${value}\n`)
    .join('');

const supply = (name: string, properties: Properties): RecordedSystem['files'] => ({
  [`/sys/class/power_supply/${name}/uevent`]: uevent({ NAME: name, ...properties }),
});

const aBattery = (properties: Properties = {}) =>
  supply('BAT0', { TYPE: 'Battery', STATUS: 'Discharging', PRESENT: 1, CAPACITY: 50, ...properties });

const read = (...supplies: readonly RecordedSystem['files'][]) =>
  readPower(recordedSystemReader(aMachine(Object.assign({}, ...supplies))));

describe('where the power comes from', () => {
  it('is the battery while it empties, even at a charger that is too weak', async () => {
    expect((await read(aBattery(), supply('AC', { TYPE: 'Mains', ONLINE: 1 }))).source).toBe('battery');
  });

  it('is mains while the battery charges, is full, or rests at its threshold', async () => {
    const charger = supply('AC', { TYPE: 'Mains', ONLINE: 1 });
    for (const STATUS of ['Charging', 'Full', 'Not charging']) {
      expect((await read(aBattery({ STATUS }), charger)).source).toBe('mains');
    }
  });

  it('is told by the charger when the battery does not know its own state', async () => {
    const unknown = aBattery({ STATUS: 'Unknown' });
    expect((await read(unknown, supply('USB', { TYPE: 'USB_PD', ONLINE: 1 }))).source).toBe('mains');
    expect((await read(unknown, supply('USB', { TYPE: 'USB_PD', ONLINE: 0 }))).source).toBe('battery');
    expect((await read(unknown)).source).toBe('unknown');
  });

  it('is mains for a board that sees no battery', async () => {
    expect(await read()).toEqual({ source: 'mains', hasBattery: false });
  });
});

describe('a battery', () => {
  it('of an old kernel, whose uevent has no type, is read from its type file', async () => {
    const old = supply('BAT0', { STATUS: 'Discharging', PRESENT: 1, CAPACITY: 9 });
    const found = await read(old, { '/sys/class/power_supply/BAT0/type': 'Battery\n' });
    expect(found.battery).toMatchObject({ levelPct: 9, state: 'discharging' });
  });

  it('that is not in its slot does not count', async () => {
    expect((await read(aBattery({ PRESENT: 0 }))).hasBattery).toBe(false);
  });

  it('of a mouse does not count', async () => {
    expect((await read(aBattery({ SCOPE: 'Device' }))).hasBattery).toBe(false);
  });

  it.each([-5, 250, 'full', ''])('with a level of %s has no known level', async (CAPACITY) => {
    const { battery } = await read(aBattery({ CAPACITY }));
    expect(battery).toMatchObject({ state: 'discharging', charging: false });
    expect(battery?.levelPct).toBeUndefined();
  });

  it('with a wrong level and a right gauge is known by its gauge', async () => {
    const { battery } = await read(aBattery({ CAPACITY: -1, ENERGY_NOW: 20_000_000, ENERGY_FULL: 50_000_000 }));
    expect(battery?.levelPct).toBe(40);
  });

  it('whose gauge holds more than its size is not believed to hold that', async () => {
    const { battery } = await read(aBattery({ ENERGY_NOW: 90_000_000, ENERGY_FULL: 50_000_000 }));
    expect(battery?.remainingMj).toBeUndefined();
    expect(battery?.levelPct).toBe(50);
  });

  it('that counts charge instead of energy is converted by its voltage', async () => {
    // cnx PR 31: 4.723 Ah of 4.804 Ah at 11.4 V, 0.756 A at 12.6 V.
    const { battery, capacityMj } = await read(
      aBattery({
        CAPACITY: 98,
        VOLTAGE_MIN_DESIGN: 11_400_000,
        VOLTAGE_NOW: 12_600_000,
        CURRENT_NOW: 756_000,
        CHARGE_NOW: 4_723_000,
        CHARGE_FULL: 4_804_000,
      }),
    );
    expect(battery?.remainingMj).toBe(Math.round(4.723 * 11.4 * 3_600_000));
    expect(capacityMj).toBe(Math.round(4.804 * 11.4 * 3_600_000));
    expect(battery?.drawMw).toBe(9526);
  });

  it('draws the same whether its driver signs the current or not', async () => {
    const readings = { VOLTAGE_NOW: 4_000_000 };
    expect((await read(aBattery({ ...readings, CURRENT_NOW: -500_000 }))).battery?.drawMw).toBe(2000);
    expect((await read(aBattery({ ...readings, CURRENT_NOW: 500_000 }))).battery?.drawMw).toBe(2000);
  });

  it('that charges draws nothing', async () => {
    const { battery } = await read(aBattery({ STATUS: 'Charging', POWER_NOW: 20_000_000 }));
    expect(battery).toMatchObject({ state: 'charging', charging: true });
    expect(battery?.drawMw).toBeUndefined();
  });

  it('that empties at zero watts has a gauge that does not tell', async () => {
    expect((await read(aBattery({ POWER_NOW: 0 }))).battery?.drawMw).toBeUndefined();
  });

  it('tells its temperature in tenths of a degree', async () => {
    expect((await read(aBattery({ TEMP: 315 }))).battery?.temperatureC).toBe(31.5);
    expect((await read(aBattery({ TEMP: -2731 }))).battery?.temperatureC).toBeUndefined();
  });
});

describe('two batteries', () => {
  const two = (first: Properties, second: Properties) =>
    read(supply('BAT0', { TYPE: 'Battery', ...first }), supply('BAT1', { TYPE: 'Battery', ...second }));

  it('are one, weighted by their sizes', async () => {
    const { battery, capacityMj } = await two(
      { STATUS: 'Full', CAPACITY: 100, ENERGY_FULL: 20_000_000, ENERGY_NOW: 20_000_000 },
      { STATUS: 'Discharging', CAPACITY: 25, ENERGY_FULL: 40_000_000, ENERGY_NOW: 10_000_000, POWER_NOW: 8_000_000 },
    );
    expect(battery).toMatchObject({ levelPct: 50, state: 'discharging', remainingMj: 108_000_000, drawMw: 8000 });
    expect(capacityMj).toBe(216_000_000);
  });

  it('of which one has no size are averaged, and their energy is not known', async () => {
    const { battery, capacityMj } = await two(
      { STATUS: 'Discharging', CAPACITY: 90 },
      { STATUS: 'Discharging', CAPACITY: 30, ENERGY_FULL: 40_000_000, ENERGY_NOW: 12_000_000 },
    );
    expect(battery?.levelPct).toBe(60);
    expect(battery?.remainingMj).toBeUndefined();
    expect(capacityMj).toBeUndefined();
  });
});

describe('a phone', () => {
  const phone = (stdout: string, code = 0) =>
    readPower(
      recordedSystemReader({
        ...aMachine({}, { platform: 'android' }),
        commands: { 'termux-battery-status': { stdout, code } },
      }),
    );

  it('on a charger is on mains', async () => {
    const status = { percentage: 96, plugged: 'PLUGGED_AC', status: 'CHARGING', temperature: 24.600000381469727 };
    expect(await phone(JSON.stringify(status))).toMatchObject({
      source: 'mains',
      battery: { levelPct: 96, state: 'charging', charging: true, temperatureC: 24.6 },
    });
  });

  it.each(['', '{', '[]', 'null', '"full"', '{"percentage": "45"}', '{"percentage": 250}'])(
    'whose add-on prints %j has a battery of which nothing is known',
    async (stdout) => {
      expect(await phone(stdout)).toEqual({ source: 'unknown', hasBattery: true });
    },
  );

  it('whose add-on fails has a battery of which nothing is known', async () => {
    expect(await phone('{"percentage": 45}', 1)).toEqual({ source: 'unknown', hasBattery: true });
  });
});

it('a machine with more supplies than any has is read only so far', async () => {
  const many = Object.assign(
    {},
    ...Array.from({ length: 100 }, (_, index) => supply(`P${index}`, { TYPE: 'Battery' })),
  );
  const reader = recordedSystemReader(aMachine(many));
  await readPower(reader);
  expect(reader.asked.files).toBeLessThanOrEqual(32);
});
