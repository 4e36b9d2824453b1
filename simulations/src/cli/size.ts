import { type CostWeights, progressOn, readCostWeights } from '@shoal/coordinator';
import { ShoalError } from '@shoal/protocol';
import type { Command } from 'commander';
import { type Outcome, simulate } from '../coarse/index.ts';
import { type DeviceClassName, deviceClasses, type Fleet, links } from '../fleet/index.ts';
import { fleetArgument, readFleet, readNumber, readWhole } from './options.ts';
import { tableOf } from './run.ts';
import type { Terminal } from './terminal.ts';

interface Options {
  readonly add: string;
  readonly missed: number;
  readonly frames: number;
  readonly most: number;
  readonly seed: number;
  readonly hours: number;
  readonly start: number;
  readonly weights?: CostWeights;
}

/** `size FLEET --add CLASS --missed PERCENT --frames PERCENT`: how many devices of a class must be added to keep a promise. */
export function sizeCommand(program: Command, terminal: Terminal): void {
  program
    .command('size')
    .argument('<fleet>', fleetArgument)
    .description('how many devices must be added so that no more than so much is missed, and enough is seen of cameras')
    .requiredOption('--add <class>', `what to add: ${Object.keys(deviceClasses).join(', ')}`)
    .option('--missed <percent>', 'what may be missed', readNumber('--missed', 0, 100), 1)
    .option('--frames <percent>', 'frames of cameras that must be analysed', readNumber('--frames', 0, 100), 95)
    .option('--most <number>', 'devices that may be added', readWhole('--most', 1, 100_000), 256)
    .option('--seed <number>', 'all that is chance', readWhole('--seed', 0, 2 ** 31), 1)
    .option('--hours <number>', 'how long each run is, in virtual time', readNumber('--hours', 0.001, 10_000), 0.25)
    .option('--start <hour>', 'hour of the day at which each begins', readNumber('--start', 0, 24), 18)
    .option('--weights <list>', 'what counts how much under `cost`, like perMiss=0.5,perJoule=2', readCostWeights)
    .action(async (name: string, options: Options) => {
      const fleet = await readFleet(name, terminal);
      const added = className(options.add);
      const tried = new Map<number, Outcome>();
      const progress = progressOn(terminal.errors, fleet.name, terminal.nowMs);
      const outcomeWith = (count: number): Outcome => {
        progress.update(undefined, `with ${count} more ${added}`);
        const outcome = tried.get(count) ?? simulate(scenario(fleet, added, count, options));
        tried.set(count, outcome);
        return outcome;
      };
      const count = leastThat((more) => isEnough(outcomeWith(more), options), options.most);
      progress.end();
      const best = outcomeWith(count ?? options.most);
      terminal.output.write(tableOf([best], terminal));
      if (count === undefined) {
        throw new ShoalError(
          'work.no-device',
          `with ${options.most} more ${added}, ${shortText(best, options)}: another class, or ${best.missed * 100 > options.missed ? 'a longer deadline' : 'fewer frames'}, may do it`,
        );
      }
      const answer = count === 0 ? 'Nothing has to be added' : `Add ${count} ${added}`;
      terminal.output.write(`${answer}: ${enoughText(best, options)}.\n`);
    });
}

type Promised = Pick<Options, 'missed' | 'frames'>;

/** Of the frames that were asked for, percent. */
function framesOf({ cameras }: Outcome): number {
  return 100 * (cameras?.analysed ?? 1);
}

function isEnough(outcome: Outcome, { missed, frames }: Promised): boolean {
  return 100 * outcome.missed <= missed && framesOf(outcome) >= frames;
}

function enoughText(outcome: Outcome, { missed, frames }: Promised): string {
  const tasks = `${(100 * outcome.missed).toFixed(2)} % would be missed, at most ${missed} % may be`;
  if (!outcome.cameras) return tasks;
  return `${tasks}; ${framesOf(outcome).toFixed(1)} % of the frames of cameras would be analysed, at least ${frames} % must be`;
}

function shortText(outcome: Outcome, { missed }: Promised): string {
  if (100 * outcome.missed > missed) return `${(100 * outcome.missed).toFixed(2)} % are still missed`;
  return `only ${framesOf(outcome).toFixed(1)} % of the frames of cameras are analysed`;
}

function className(text: string): DeviceClassName {
  if (text in deviceClasses) return text as DeviceClassName;
  const known = Object.keys(deviceClasses).join(', ');
  throw new ShoalError('input.invalid', `there is no class of devices ${JSON.stringify(text)}; known are ${known}`);
}

function scenario(fleet: Fleet, added: DeviceClassName, count: number, { seed, hours, start, weights }: Options) {
  const more = count === 0 ? [] : [{ class: added, count, labels: {}, link: links.ethernet }];
  return {
    fleet: { ...fleet, devices: [...fleet.devices, ...more] },
    strategy: 'cost',
    seed,
    hours,
    startHour: start,
    ...(weights && { weights }),
  };
}

/** The least count for which it holds: doubled until it does, then halved in between. `undefined`: not even the most. */
function leastThat(holds: (count: number) => boolean, most: number): number | undefined {
  if (holds(0)) return 0;
  let high = 1;
  while (!holds(high)) {
    if (high === most) return undefined;
    high = Math.min(most, high * 2);
  }
  let low = high >> 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
