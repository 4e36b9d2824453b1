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
  readonly most: number;
  readonly seed: number;
  readonly hours: number;
  readonly start: number;
  readonly weights?: CostWeights;
}

/** `size FLEET --add CLASS --missed PERCENT`: how many devices of a class must be added to keep a promise. */
export function sizeCommand(program: Command, terminal: Terminal): void {
  program
    .command('size')
    .argument('<fleet>', fleetArgument)
    .description('how many devices must be added so that no more than so much is missed')
    .requiredOption('--add <class>', `what to add: ${Object.keys(deviceClasses).join(', ')}`)
    .option('--missed <percent>', 'what may be missed', readNumber('--missed', 0, 100), 1)
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
      const missedWith = (count: number): number => {
        progress.update(undefined, `with ${count} more ${added}`);
        const outcome = tried.get(count) ?? simulate(scenario(fleet, added, count, options));
        tried.set(count, outcome);
        return 100 * outcome.missed;
      };
      const count = leastThat((more) => missedWith(more) <= options.missed, options.most);
      progress.end();
      const best = tried.get(count ?? options.most);
      if (best) terminal.output.write(tableOf([best], terminal));
      if (count === undefined) {
        throw new ShoalError(
          'work.no-device',
          `with ${options.most} more ${added}, ${missedWith(options.most).toFixed(2)} % are still missed: another class, or a longer deadline, may do it`,
        );
      }
      const answer = count === 0 ? 'Nothing has to be added' : `Add ${count} ${added}`;
      terminal.output.write(
        `${answer}: ${missedWith(count).toFixed(2)} % would be missed, at most ${options.missed} % may be.\n`,
      );
    });
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
