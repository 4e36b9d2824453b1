import { probeAccelerators } from './accelerators/index.ts';
import { probeBoard } from './board.ts';
import type { Capability, Cpu } from './capability.ts';
import { probeContainer } from './container.ts';
import { probeCpu } from './cpu.ts';
import { probeEnergyRails } from './energy-rails.ts';
import { probeMemory } from './memory.ts';
import { probeOperatingSystem } from './operating-system.ts';
import { probePower } from './power.ts';
import { type Attempts, attempts } from './probe-attempts.ts';
import { abortable, type SystemReader } from './system-reader.ts';
import { probeSensors } from './temperature.ts';

export interface ProbeOptions {
  /** The folder whose disk counts: where models and the outbox are kept. */
  readonly dataFolder: string;
}

/**
 * What this machine has. A probe that fails leaves a gap that `unknown` names; only the signal ends the whole.
 *
 * @throws ShoalError `aborted` when the signal says so
 */
export async function probeCapability(
  reader: SystemReader,
  signal: AbortSignal,
  options: ProbeOptions = { dataFolder: '/' },
): Promise<Capability> {
  const source = abortable(reader, signal);
  const host = reader.host();
  const all = attempts(signal);
  const [os, board, container, cpu, memory, disk, accelerators, power, sensors, energy] = await Promise.all([
    all.attempt('operating system', () => probeOperatingSystem(source), {
      platform: host.platform,
      kernel: host.kernel,
    }),
    all.attempt('board', () => probeBoard(source), { kind: 'unknown' }),
    all.attempt('container', () => probeContainer(source), undefined),
    all.attempt('CPU', () => probeCpu(source), bareCpu(host)),
    all.attempt('memory', () => probeMemory(source), { totalBytes: host.memoryBytes, usableBytes: host.memoryBytes }),
    all.attempt('disk', () => source.diskSpace(options.dataFolder), undefined),
    probeAccelerators(source, all.attempt),
    all.attempt('power', () => probePower(source), { source: 'unknown', hasBattery: false }),
    all.attempt('temperature sensors', () => probeSensors(source), []),
    all.attempt('energy', () => probeEnergyRails(source), { rails: [], unknown: [] }),
  ]);
  const found = { os, board, container, cpu, memory, disk, accelerators, power, sensors, rails: energy.rails };
  return { ...found, unknown: [...gaps(found), ...energy.unknown, ...failures(all)] };
}

function bareCpu(host: { readonly arch: string; readonly cores: number }): Cpu {
  const cores = Math.max(1, host.cores);
  return { arch: host.arch, cores, usableCores: cores, features: [] };
}

/** What a machine always has, so that its absence is worth a word. */
function gaps(found: Omit<Capability, 'unknown'>): readonly string[] {
  const missing: readonly (readonly [boolean, string])[] = [
    [found.os.name === undefined, 'operating system: no name'],
    [found.cpu.model === undefined, 'CPU: no model'],
    [found.cpu.features.length === 0, 'CPU: no instruction sets'],
    [found.memory.totalBytes === 0, 'memory: no size'],
    [found.disk === undefined, 'disk: no size'],
    [found.power.source === 'unknown', 'power: mains or battery cannot be told'],
    [found.sensors.length === 0, 'temperature: no sensor'],
  ];
  return missing.filter(([absent]) => absent).map(([, what]) => what);
}

function failures(all: Attempts): readonly string[] {
  return all.failed.map(({ subject, reason }) => `${subject}: ${reason}`);
}
