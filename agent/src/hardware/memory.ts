import type { Memory } from './capability.ts';
import { memoryLeftBytes, memoryLimitBytes } from './cgroup.ts';
import { amount, fields } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

export async function probeMemory(reader: SystemReader): Promise<Memory> {
  const [meminfo, limit] = await Promise.all([reader.readText('/proc/meminfo'), memoryLimitBytes(reader)]);
  const totalBytes = kilobytes(meminfo, 'MemTotal') ?? Math.max(0, reader.host().memoryBytes);
  return { totalBytes, usableBytes: Math.min(totalBytes, limit ?? totalBytes) };
}

/** What new work can take without swapping, within the cgroup's limit. */
export async function readMemoryAvailable(reader: SystemReader): Promise<number | undefined> {
  const [meminfo, left] = await Promise.all([reader.readText('/proc/meminfo'), memoryLeftBytes(reader)]);
  const machine = kilobytes(meminfo, 'MemAvailable') ?? amount(String(reader.host().memoryFreeBytes));
  if (machine === undefined) return left;
  return Math.min(machine, left ?? machine);
}

function kilobytes(meminfo: string | undefined, name: string): number | undefined {
  const match = /^(\d+) kB$/.exec(fields(meminfo, ':').get(name) ?? '');
  return match ? Number(match[1]) * 1024 : undefined;
}
