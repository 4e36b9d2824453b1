import { readFileSync } from 'node:fs';

/** A tick of the times in `/proc`, ms: 100 a second on every Linux that Node runs on. */
const tickMs = 10;

/** Processor time that a process took so far, ms; `undefined` where there is no `/proc`, or it has ended. */
export function cpuMsOf(pid: number): number | undefined {
  try {
    // proc(5): utime and stime are fields 14 and 15; the name before them stands in brackets and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks * tickMs : undefined;
  } catch {
    return undefined;
  }
}
