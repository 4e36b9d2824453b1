import type { Load } from './capability.ts';
import { readMemoryAvailable } from './memory.ts';
import { amount, matching } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

export async function readLoad(reader: SystemReader): Promise<Load> {
  const [average, stat, memoryAvailableBytes, clocks] = await Promise.all([
    reader.readText('/proc/loadavg'),
    reader.readText('/proc/stat'),
    readMemoryAvailable(reader),
    readClocks(reader),
  ]);
  // Android forbids the file; the system call behind the runtime's own figure is allowed.
  const average1m = amount(average?.split(' ')[0]) ?? amount(String(reader.host().loadAverage1m));
  return { average1m, ticks: ticksIn(stat), memoryAvailableBytes, ...clocks };
}

/** How busy the processors were between two readings, 0..1. */
export function busyShare(before: Load, after: Load): number | undefined {
  if (!before.ticks || !after.ticks) return undefined;
  const total = after.ticks.total - before.ticks.total;
  const busy = after.ticks.busy - before.ticks.busy;
  return total > 0 ? Math.min(1, Math.max(0, busy / total)) : undefined;
}

/** proc_stat(5): user nice system idle iowait irq softirq steal; guest time is part of user time already. */
function ticksIn(stat: string | undefined): Load['ticks'] {
  const match = /^cpu\s+(.+)$/m.exec(stat ?? '');
  const numbers = match?.[1]?.trim().split(/\s+/).slice(0, 8).map(amount) ?? [];
  const known = numbers.filter((number) => number !== undefined);
  if (known.length < 4 || known.length !== numbers.length) return undefined;
  const total = known.reduce((all, number) => all + number, 0);
  return { total, busy: total - (known[3] ?? 0) - (known[4] ?? 0) };
}

async function readClocks(reader: SystemReader): Promise<Pick<Load, 'cpuMhz' | 'cpuLimitMhz'>> {
  const folder = '/sys/devices/system/cpu/cpufreq';
  const policies = matching(await reader.list(folder), /^policy\d+$/);
  const fastest = async (file: string) => {
    const texts = await Promise.all(policies.map((policy) => reader.readText(`${folder}/${policy}/${file}`)));
    const khz = Math.max(0, ...texts.map((text) => amount(text) ?? 0));
    return khz > 0 ? Math.round(khz / 1000) : undefined;
  };
  const [cpuMhz, cpuLimitMhz] = await Promise.all([fastest('scaling_cur_freq'), fastest('scaling_max_freq')]);
  return { cpuMhz, cpuLimitMhz };
}
