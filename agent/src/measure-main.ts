import { silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { realSystemReader } from './hardware/real/index.ts';
import { LoadedModels } from './loaded-models/index.ts';
import { createSystemMachine } from './machine/index.ts';
import { lazyModels } from './ports.ts';
import { type MeasureOptions, measureHere } from './profile/index.ts';

/*
 * The process in which an agent has a variant measured: `measure-main.js MODEL VARIANT OPTIONS`. The allocator gives little of what a runtime took
 * back to the system, and a model may crash the runtime: both end with this process. Prints a `Measured` as JSON.
 */
const [model = '', variant = '', json = '{}'] = process.argv.slice(2);
const options = JSON.parse(json) as MeasureOptions;
const signal = new AbortController().signal;
const clock = systemClock;
const { engine, shelf: openShelf } = lazyModels(silentLogger);
const shelf = await openShelf();
const models = new LoadedModels({
  engines: [engine],
  shelf,
  clock,
  logger: silentLogger,
  measuredBytes: () => undefined,
  // What it needs is what is to be found out; if it is too much, it ends this process and no other.
  freeBytes: async () => undefined,
});
const machine = createSystemMachine(
  { reader: realSystemReader(), clock },
  { hostName: '', dataFolder: '/', software: '' },
);
const held = await shelf.resolve(model, variant, signal);
const measured = await measureHere({ models, machine, clock })(held, options, signal);
process.stdout.write(JSON.stringify(measured));
await models.stop();
await engine.dispose();
