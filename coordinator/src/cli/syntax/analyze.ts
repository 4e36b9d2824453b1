import { type Command, Option } from 'commander';
import type { ClientOptions } from '../context.ts';
import { exitCodesHelp, type SetExitCode } from '../exit-codes.ts';
import type { World } from '../world.ts';
import { client, deviceId } from './client.ts';
import { duration, positive, score } from './values.ts';

export function addAnalyze(program: Command, world: World, setExitCode: SetExitCode): void {
  const command = program
    .command('analyze')
    .description('Analyse pictures and videos: files, folders, patterns, URLs')
    .argument('<input...>', 'what to analyse')
    .option('-p, --pipeline <name>', 'detect or classify', 'detect')
    .option('-m, --model <name>', 'the default model of the pipeline unless told')
    .option('--variant <name>', 'for example int8; chosen together with the device unless told')
    .option('--min-score <score>', 'leave out what is less sure, 0 to 1', score)
    .option('--device <device>', 'only on this device (name or id)')
    .option('--fps <n>', 'pictures taken from each second of a video', positive, 1)
    .addOption(
      new Option('--deadline <time>', 'give up after so long, like 30s').argParser(duration).default(120_000, '2m'),
    )
    .option('-o, --out <dir>', 'where annotated pictures and proofs go (with --json nothing is written unless told)')
    .option('--no-out', 'write nothing')
    .addHelpText(
      'after',
      `
Examples:
  shoal analyze dog.jpg                          annotated picture and proof go to ./shoal-out
  shoal analyze photos/ --min-score 0.5          all pictures and videos of a folder
  shoal analyze 'shots/*.png' --json             one JSON document, nothing written
  shoal analyze street.mp4 --fps 2 -o street     two pictures of every second
${exitCodesHelp}`,
    );
  type Options = ClientOptions & {
    pipeline: string;
    model?: string;
    variant?: string;
    minScore?: number;
    device?: string;
    fps: number;
    deadline: number;
    out?: string | boolean;
  };
  client<Options>(command, world, async (context, inputs, options) => {
    const { analyze } = await import('../analyze/index.ts');
    const { pipeline, model, variant, minScore, device, fps, deadline, out } = options;
    const folder = typeof out === 'string' ? out : out === false || context.json ? undefined : 'shoal-out';
    const only = device === undefined ? undefined : await deviceId(context, device);
    const optional = { model, variant, minScore, device: only, out: folder };
    const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
    setExitCode(await analyze(context, inputs, { pipeline, fps, deadlineMs: deadline, ...given }));
  });
}
