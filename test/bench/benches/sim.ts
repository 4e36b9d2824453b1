import { readFile } from 'node:fs/promises';
import { goals, readGoalFleets } from '@shoal/simulations';
import { absoluteFigure, type Bench, cpuMs } from '../harness.ts';

const seeds = 10;

export const sim: Bench = {
  name: 'sim',
  title: `what placement reaches on the fleets that come with Shoal (medians of ${seeds} seeds), and how fast the coarse world is`,
  async run(report) {
    const fleets = await readGoalFleets((path) => readFile(path, 'utf8'));
    const means = { fleets, seeds, say: (text: string) => report.line(text), cpuMs };
    return goals.flatMap((goal) => {
      report.line(goal.title);
      return goal.find(means).map(({ name, unit, value, limit }) => absoluteFigure(name, unit, value, limit));
    });
  },
};
