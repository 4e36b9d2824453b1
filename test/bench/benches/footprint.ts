import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, residentMb } from '../../support/child.ts';
import { agentBin, Fleet } from '../../support/fleet.ts';
import { analysePhoto, hasPhotos } from '../../support/photos.ts';
import { absoluteFigure, type Bench, interleave, median, ratioFigure, timed } from '../harness.ts';

const starts = 9;
const processes = join(import.meta.dirname, '../processes');

export const footprint: Bench = {
  name: 'footprint',
  title: 'memory of an agent, idle and with Lite0 loaded, and the time from its start until it has joined',
  missing: async () => ((await hasPhotos()) ? undefined : 'there are no pictures in ../shared/data/photos'),
  async run(report) {
    const directory = await mkdtemp(join(tmpdir(), 'shoal-footprint-'));
    await using fleet = await Fleet.start({ agents: 0 });
    const broker = new Child(process.execPath, [join(processes, 'aedes-broker.mjs')]);
    const [, port] = await broker.line(/port (\d+)/);
    const token = await fleet.createToken(100);
    let number = 0;
    const joins = await interleave(starts, {
      agent: () => untilLine([agentBin, 'join', token, '--data', join(directory, String(number++))], /joined/),
      floor: () => untilLine([join(processes, 'mqtt-connect.mjs'), `mqtt://127.0.0.1:${port}`], /joined/),
    });
    report.noise('start of node + mqtt', joins.floor);
    await broker.stop();

    const agent = new Child(process.execPath, [agentBin, 'join', token, '--data', join(directory, 'measured')]);
    await agent.line(/joined/);
    const idleMb = await settledMb(agent);
    report.line(`idle agent: ${idleMb.toFixed(1)} MB resident`);
    // By its name: left to the placement, an idle device is given the float variant for its accuracy, which takes 40 MB more.
    await analysePhoto(fleet, 'efficientdet-lite0', 'int8');
    const loadedMb = await settledMb(agent);
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
    return [
      absoluteFigure('idle agent, joined, no model', 'MB', idleMb, { atMost: 75 }),
      absoluteFigure('agent with Lite0 int8 loaded', 'MB', loadedMb, { atMost: 150 }),
      ratioFigure('process start to joined', 'ms', median(joins.agent), median(joins.floor), { atMost: 1.5 }),
    ];
  },
};

async function untilLine(args: readonly string[], pattern: RegExp): Promise<number> {
  let child: Child | undefined;
  const ms = await timed(() => {
    child = new Child(process.execPath, args);
    return child.line(pattern);
  });
  await child?.stop();
  return ms;
}

/** The median over five seconds: what stays resident, not what a start needs for a moment. */
async function settledMb(child: Child): Promise<number> {
  const samples: number[] = [];
  for (let second = 0; second < 5; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    samples.push(await residentMb(child.pid));
  }
  return median(samples);
}
