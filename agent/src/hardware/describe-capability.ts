import type { Accelerator, Capability } from './capability.ts';
import { measurableRails } from './energy.ts';

/** The capability as lines for a person: `npm start` and `shoal doctor` print them. */
export function describeCapability(capability: Capability): readonly string[] {
  const { accelerators, unknown } = capability;
  return [
    machineLine(capability),
    cpuLine(capability),
    memoryLine(capability),
    ...(accelerators.length > 0 ? accelerators.map(acceleratorLine) : ['accelerator: none']),
    powerLine(capability),
    energyLine(capability),
    ...(unknown.length > 0 ? [`not known: ${unknown.join('; ')}`] : []),
  ];
}

function machineLine({ board, os, container }: Capability): string {
  const machine = [board.model ?? kindNames[board.kind], board.firmware].filter(Boolean).join(', ');
  const system = `${os.name ?? os.platform}, kernel ${os.kernel}`;
  return `machine: ${machine}; ${system}${container ? `; in a container (${container})` : ''}`;
}

const kindNames: Readonly<Record<Capability['board']['kind'], string>> = {
  'raspberry-pi': 'Raspberry Pi',
  jetson: 'Jetson',
  phone: 'phone',
  laptop: 'laptop',
  pc: 'computer',
  vm: 'virtual machine',
  board: 'board',
  unknown: 'computer',
};

function cpuLine({ cpu }: Capability): string {
  const share = cpu.usableCores < cpu.cores ? `${rounded(cpu.usableCores)} of ${cpu.cores}` : `${cpu.cores}`;
  const speed = cpu.maxMhz === undefined ? '' : ` up to ${cpu.maxMhz} MHz`;
  const features = cpu.features.length > 0 ? `; ${cpu.features.join(' ')}` : '';
  return `cpu: ${cpu.model ?? 'unknown'} (${cpu.arch}), ${share} core${share === '1' ? '' : 's'}${speed}${features}`;
}

function memoryLine({ memory, disk }: Capability): string {
  const limited = memory.usableBytes < memory.totalBytes;
  const size = limited
    ? `${gigabytes(memory.usableBytes)} of ${gigabytes(memory.totalBytes)} usable`
    : gigabytes(memory.totalBytes);
  return `memory: ${size}; disk: ${disk ? `${gigabytes(disk.freeBytes)} free of ${gigabytes(disk.totalBytes)}` : 'unknown'}`;
}

function acceleratorLine({ kind, model, device, memoryBytes, ready, note }: Accelerator): string {
  const details = [memoryBytes === undefined ? undefined : gigabytes(memoryBytes), device].filter(Boolean).join(', ');
  const state = ready ? (note ? `; ${note}` : '') : `; not usable: ${note ?? 'no reason given'}`;
  return `accelerator: ${kind} ${model}${details ? ` (${details})` : ''}${state}`;
}

function powerLine({ power }: Capability): string {
  const capacity = power.capacityMj === undefined ? '' : `, ${rounded(power.capacityMj / 3.6e6)} Wh when full`;
  if (power.hasBattery)
    return `power: ${power.source === 'unknown' ? 'unknown' : `on ${power.source}`}, has a battery${capacity}`;
  return `power: ${power.source === 'mains' ? 'mains (no battery seen)' : power.source}`;
}

function energyLine({ rails }: Capability): string {
  const measured = measurableRails(rails).map(({ name, source }) => `${name} (${source})`);
  return `energy: ${measured.length > 0 ? `measured on ${measured.join(', ')}` : 'cannot be measured here'}`;
}

/** Decimal, as disks are sold and as the rest of Shoal says it. */
function gigabytes(bytes: number): string {
  return `${rounded(bytes / 1e9)} GB`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}
