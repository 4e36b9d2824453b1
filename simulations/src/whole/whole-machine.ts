import type { Random } from '@shoal/protocol';
import { usualMs, variation } from '../coarse/index.ts';
import { type DeviceClass, type DeviceGroup, deviceClasses, type ModelName, modelFactors } from '../fleet/index.ts';
import type { MachineSpec } from '../world/index.ts';

/** What a class cannot run on its accelerator runs on its processor, so many times as slow as what it can. */
const withoutAccelerator = 20;

/** A machine of the class for a whole agent: it takes what a coarse device takes. */
export function wholeMachine({ class: name }: DeviceGroup, number: number, random: Random): MachineSpec {
  const kind: DeviceClass = deviceClasses[name];
  return {
    name: `${name} ${number}`,
    cores: kind.cores,
    loadMs: kind.loadMs,
    slots: kind.slots,
    provider: kind.runtime.split(' ').at(-1) ?? 'cpu',
    workWatts: kind.busyWatts / kind.slots,
    holds: (model) => model in modelFactors,
    inferenceMs: (model, variant) => medianMs(kind, model as ModelName, variant) * variation(random),
  };
}

function medianMs(kind: DeviceClass, model: ModelName, variant: string): number {
  if (variant === 'int8') return usualMs(kind, model, 'int8');
  return kind.floatFactor === undefined
    ? withoutAccelerator * usualMs(kind, model, 'int8')
    : usualMs(kind, model, 'float32');
}
