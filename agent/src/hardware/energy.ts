import type { EnergyRail, RailSource } from './capability.ts';
import { combine, readPowerSupplies } from './power-supply.ts';
import { amount } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

/** One reading of a rail: what a counter stands at, or what flows at this moment. */
export type EnergySample =
  | { readonly kind: 'counter'; readonly atMs: number; readonly countedMj: number }
  | { readonly kind: 'power'; readonly atMs: number; readonly powerMw: number };

/**
 * The rails that together tell what work costs, best first: one that sees the whole board, else the parts that add up. Counters
 * and monitors answer at once; a battery's gauge lags by seconds, so it is the last choice.
 */
export function measurableRails(rails: readonly EnergyRail[]): readonly EnergyRail[] {
  const of = (source: RailSource, scope: EnergyRail['scope']) =>
    rails.filter((rail) => rail.source === source && rail.scope === scope);
  const choices = [
    of('ina3221', 'board'),
    of('ina3221', 'part'),
    of('rapl', 'part').length > 0 ? [...of('rapl', 'part'), ...of('nvidia-smi', 'part')] : [],
    of('pi5-pmic', 'part'),
    of('battery', 'board').slice(0, 1),
  ];
  return choices.find((choice) => choice.length > 0) ?? [];
}

/** Reads a rail once. `undefined`: it does not answer now (a battery that is not discharging says nothing of the load). */
export async function readEnergy(
  reader: SystemReader,
  rail: EnergyRail,
  atMs: number,
): Promise<EnergySample | undefined> {
  if (rail.source === 'rapl') {
    const microjoules = amount(await reader.readText(rail.path));
    return microjoules === undefined ? undefined : { kind: 'counter', atMs, countedMj: microjoules / 1000 };
  }
  const powerMw = await readPowerMw(reader, rail);
  return powerMw === undefined ? undefined : { kind: 'power', atMs, powerMw };
}

async function readPowerMw(reader: SystemReader, rail: EnergyRail): Promise<number | undefined> {
  switch (rail.source) {
    case 'ina3221':
      return readIna3221(reader, rail.path);
    case 'pi5-pmic':
      return pmicPowerMw((await reader.run('vcgencmd', ['pmic_read_adc'], { timeoutMs: 2000 }))?.stdout);
    case 'nvidia-smi': {
      const query = ['--id', rail.path, '--query-gpu=power.draw', '--format=csv,noheader,nounits'];
      const output = await reader.run('nvidia-smi', query, { timeoutMs: 5000 });
      const watts = output?.code === 0 ? amount(output.stdout) : undefined;
      return watts === undefined ? undefined : watts * 1000;
    }
    case 'battery':
      return combine((await readPowerSupplies(reader)).batteries)?.drawMw;
    case 'rapl':
      return undefined;
  }
}

async function readIna3221(reader: SystemReader, path: string): Promise<number | undefined> {
  if (path.endsWith('_input')) return amount(await reader.readText(path));
  const [millivolts, milliamperes] = await Promise.all([
    reader.readText(`${path}_input`),
    reader.readText(`${path.replace(/in(\d)$/, 'curr$1')}_input`),
  ]);
  const volts = amount(millivolts);
  const amperes = amount(milliamperes);
  return volts === undefined || amperes === undefined ? undefined : (volts * amperes) / 1000;
}

/** Sum over the rails of the Pi 5's power chip that have both a current and a voltage. USB devices and losses are not in it. */
export function pmicPowerMw(text: string | undefined): number | undefined {
  const volts = new Map<string, number>();
  const amperes = new Map<string, number>();
  for (const match of (text ?? '').matchAll(/^\s*(\w+)_([AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV]\s*$/gm)) {
    const value = amount(match[3]);
    if (match[1] && value !== undefined) (match[2] === 'A' ? amperes : volts).set(match[1], value);
  }
  let milliwatts = 0;
  for (const [rail, ampere] of amperes) milliwatts += 1000 * ampere * (volts.get(rail) ?? 0);
  return milliwatts > 0 ? milliwatts : undefined;
}

/**
 * Energy of one rail over samples in order of time, in mJ: the difference of a counter (across at most one wrap between two
 * samples) or the area under the power. `undefined`: fewer than two samples, or samples that contradict each other.
 */
export function energyBetweenMj(rail: EnergyRail, samples: readonly EnergySample[]): number | undefined {
  let totalMj = 0;
  for (const [index, after] of samples.entries()) {
    const before = samples[index - 1];
    if (before === undefined) continue;
    const stepMj = stepBetweenMj(rail, before, after);
    if (stepMj === undefined) return undefined;
    totalMj += stepMj;
  }
  return samples.length >= 2 && Number.isFinite(totalMj) ? totalMj : undefined;
}

function stepBetweenMj(rail: EnergyRail, before: EnergySample, after: EnergySample): number | undefined {
  const elapsedMs = after.atMs - before.atMs;
  if (!(elapsedMs >= 0)) return undefined;
  if (before.kind === 'power' && after.kind === 'power') {
    return (((before.powerMw + after.powerMw) / 2) * elapsedMs) / 1000;
  }
  if (before.kind !== 'counter' || after.kind !== 'counter') return undefined;
  const differenceMj = after.countedMj - before.countedMj;
  if (differenceMj >= 0) return differenceMj;
  const wrapped = rail.wrapsAtMj === undefined ? -1 : differenceMj + rail.wrapsAtMj;
  return wrapped >= 0 ? wrapped : undefined;
}
