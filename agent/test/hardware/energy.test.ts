import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pmicPowerMw } from '../../src/hardware/energy.ts';
import {
  type EnergyRail,
  type EnergySample,
  energyBetweenMj,
  measurableRails,
  probeCapability,
  readEnergy,
  recordedSystemReader,
} from '../../src/hardware/index.ts';
import { changed, type MachineName, machine, never } from './machines.ts';

async function samplesOf(name: MachineName) {
  const reader = recordedSystemReader(machine(name));
  const rails = measurableRails((await probeCapability(reader, never)).rails);
  return Promise.all(rails.map(async (rail) => [rail.name, await readEnergy(reader, rail, 1000)] as const));
}

describe('the power of a recorded machine', () => {
  it('is what a Nano takes in at 5 V, in the milliwatts of its driver', async () => {
    expect(await samplesOf('jetson-nano')).toEqual([['POM_5V_IN', { kind: 'power', atMs: 1000, powerMw: 2073 }]]);
  });

  it('is volts by amperes on an Orin Nano', async () => {
    expect(await samplesOf('jetson-orin-nano')).toEqual([['VDD_IN', { kind: 'power', atMs: 1000, powerMw: 4658.88 }]]);
  });

  it('is the sum of the twelve rails of a Pi 5 that have both a current and a voltage', async () => {
    const [sample] = await samplesOf('raspberry-pi-5');
    expect(sample?.[1]).toMatchObject({ kind: 'power', powerMw: expect.closeTo(2082.6556, 3) });
  });

  it('is what a battery gives while it empties', async () => {
    expect(await samplesOf('laptop-on-battery')).toEqual([['BAT0', { kind: 'power', atMs: 1000, powerMw: 9758 }]]);
  });

  it('is the counter of the processor and the draw of the card', async () => {
    expect(await samplesOf('desktop-nvidia')).toEqual([
      ['package-0', { kind: 'counter', atMs: 1000, countedMj: 21_871_652.112 }],
      ['GPU 0', { kind: 'power', atMs: 1000, powerMw: 13_870 }],
    ]);
  });

  it('is not known on a Pi 4, a phone or in a container', async () => {
    for (const name of ['raspberry-pi-4', 'phone-termux', 'container-limited'] as const) {
      expect(await samplesOf(name)).toEqual([]);
    }
  });

  it('is not known of a battery that charges', async () => {
    const laptop = machine('laptop-on-battery');
    const path = '/sys/class/power_supply/BAT0/uevent';
    const charging = changed(laptop, { [path]: laptop.files[path]?.replace('Discharging', 'Charging') });
    const rail = (await probeCapability(recordedSystemReader(laptop), never)).rails[0] as EnergyRail;
    expect(await readEnergy(recordedSystemReader(charging), rail, 0)).toBeUndefined();
  });

  it('is not known of a rail that has gone', async () => {
    const { rails } = await probeCapability(recordedSystemReader(machine('desktop-nvidia')), never);
    const bare = recordedSystemReader(machine('raspberry-pi-4'));
    expect(await Promise.all(rails.map((rail) => readEnergy(bare, rail, 0)))).toEqual(rails.map(() => undefined));
  });
});

it('the power chip of a Pi 5 that prints nonsense tells nothing', () => {
  expect(pmicPowerMw(undefined)).toBeUndefined();
  expect(pmicPowerMw('error=2 error_msg="Invalid arguments"')).toBeUndefined();
  expect(pmicPowerMw('  VDD_CORE_A current(7)=0.5A\n')).toBeUndefined();
  expect(pmicPowerMw('  VDD_CORE_A current(7)=0.5A\n  VDD_CORE_V volt(15)=0.8V\n  EXT5V_V volt(24)=5.1V\n')).toBe(400);
});

const rail = (source: EnergyRail['source'], scope: EnergyRail['scope'], name = 'r'): EnergyRail => ({
  name,
  source,
  scope,
  path: '/x',
});

describe('the rails to measure on', () => {
  it('are the one that sees the whole board, not those inside it', () => {
    const board = rail('ina3221', 'board');
    expect(measurableRails([rail('ina3221', 'inside'), board, rail('battery', 'board')])).toEqual([board]);
  });

  it('are all parts of a module without such a rail', () => {
    const parts = [rail('ina3221', 'part', 'VDD_GPU_SOC'), rail('ina3221', 'part', 'VDD_CPU_CV')];
    expect(measurableRails(parts)).toEqual(parts);
  });

  it('are the counters before the slow gauge of a battery', () => {
    const counter = rail('rapl', 'part');
    expect(measurableRails([rail('battery', 'board'), counter])).toEqual([counter]);
  });

  it('are none where only a graphics card tells, because the rest of the work would not be counted', () => {
    expect(measurableRails([rail('nvidia-smi', 'part')])).toEqual([]);
  });
});

describe('the energy between samples', () => {
  const counter: EnergyRail = { ...rail('rapl', 'part'), wrapsAtMj: 1000 };
  const counted = (atMs: number, countedMj: number): EnergySample => ({ kind: 'counter', atMs, countedMj });
  const power = (atMs: number, powerMw: number): EnergySample => ({ kind: 'power', atMs, powerMw });

  it('is the difference of a counter', () => {
    expect(energyBetweenMj(counter, [counted(0, 100), counted(10, 150), counted(20, 400)])).toBe(300);
  });

  it('goes on across the wrap of a counter', () => {
    expect(energyBetweenMj(counter, [counted(0, 900), counted(10, 100)])).toBe(200);
  });

  it('is the area under the power', () => {
    expect(energyBetweenMj(rail('ina3221', 'board'), [power(0, 2000), power(500, 4000), power(1000, 4000)])).toBe(3500);
  });

  it('is unknown from one sample, from samples against time, of two kinds, or of a counter that fell without a wrap', () => {
    expect(energyBetweenMj(counter, [])).toBeUndefined();
    expect(energyBetweenMj(counter, [counted(0, 1)])).toBeUndefined();
    expect(energyBetweenMj(counter, [counted(10, 1), counted(0, 2)])).toBeUndefined();
    expect(energyBetweenMj(counter, [counted(0, 1), power(1, 2)])).toBeUndefined();
    expect(energyBetweenMj(rail('rapl', 'part'), [counted(0, 5), counted(1, 4)])).toBeUndefined();
  });

  it('is what was used, wherever the counter wraps', () => {
    const steps = fc.array(fc.nat({ max: 900 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.nat({ max: 999 }), steps, (start, used) => {
        let total = start;
        const samples = [counted(0, start)];
        for (const [index, step] of used.entries()) {
          total += step;
          samples.push(counted(index + 1, total % 1000));
        }
        return energyBetweenMj(counter, samples) === total - start;
      }),
    );
  });
});
