import { asShoalError, ShoalError } from '@shoal/protocol';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type ClientOptions, type Context, openContext, reportError } from './context.ts';
import { addCoordinatorCommand } from './coordinator/index.ts';
import { type ExitCode, exitCodeOf, exitCodes, exitCodesHelp } from './exit-codes.ts';
import { parseDuration } from './output/index.ts';
import { taskStates } from './task-states.ts';
import { version } from './version.ts';
import type { World } from './world.ts';

/** Runs one command line. @returns the exit code; nothing is thrown. */
export async function runShoal(words: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = buildProgram(world, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (world.interrupted.aborted) return exitCodes.interrupted;
    reportError(thrown, world, words.includes('--json'));
    return asShoalError(thrown).code === 'input.invalid' ? exitCodes.usage : exitCodeOf(thrown);
  }
}

type SetExitCode = (code: ExitCode) => void;

function buildProgram(world: World, setExitCode: SetExitCode): Command {
  const program = new Command('shoal')
    .description('Place image and video analysis on the devices you have, and prove each result.')
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(add --help for how to use it)')
    .helpCommand(true)
    .addHelpText(
      'after',
      `
Examples:
  shoal analyze dog.jpg                     what is in a picture, where it ran and why
  shoal verify shoal-out/dog.proof.json     check the proof of that result, offline
  shoal devices                             the fleet
  shoal cameras add rtsp://HOST/STREAM      watch a camera
  shoal token create                        let another device join
${exitCodesHelp}`,
    );
  addCoordinatorCommand(program, world, setExitCode);
  addAnalyze(program, world, setExitCode);
  addVerify(program, world, setExitCode);
  addDevices(program, world);
  addTasks(program, world);
  addCameras(program, world);
  addTokens(program, world);
  addKeys(program, world);
  addDoctor(program, world, setExitCode);
  return program;
}

/** A command that talks to a coordinator: it gets the options that say which. */
function client<Options extends ClientOptions>(
  command: Command,
  world: World,
  action: (context: Context, words: readonly string[], options: Options) => Promise<void>,
): Command {
  return command
    .option('--json', 'print JSON for programs')
    .addOption(new Option('--url <url>', 'where the coordinator answers (or SHOAL_URL)').helpGroup('Connection:'))
    .addOption(new Option('--key <key>', 'its API key (better in SHOAL_API_KEY)').helpGroup('Connection:'))
    .addOption(new Option('--data <dir>', 'the data folder of a coordinator on this machine').helpGroup('Connection:'))
    .action(async () => {
      const options = command.opts<Options>();
      const words = command.processedArgs.flat().filter((word): word is string => word !== undefined);
      await action(await openContext(options, world), words, options);
    });
}

function addAnalyze(program: Command, world: World, setExitCode: SetExitCode): void {
  const command = program
    .command('analyze')
    .description('Analyse pictures and videos: files, folders, patterns, URLs')
    .argument('<input...>', 'what to analyse')
    .option('-p, --pipeline <name>', 'detect or classify', 'detect')
    .option('-m, --model <name>', 'the default model of the pipeline unless told')
    .option('--variant <name>', 'for example int8; whichever is fastest unless told')
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
    const { analyze } = await import('./analyze/index.ts');
    const { pipeline, model, variant, minScore, device, fps, deadline, out } = options;
    const folder = typeof out === 'string' ? out : out === false || context.json ? undefined : 'shoal-out';
    const only = device === undefined ? undefined : await deviceId(context, device);
    const optional = { model, variant, minScore, device: only, out: folder };
    const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
    setExitCode(await analyze(context, inputs, { pipeline, fps, deadlineMs: deadline, ...given }));
  });
}

function addVerify(program: Command, world: World, setExitCode: SetExitCode): void {
  program
    .command('verify')
    .description('Check the proof of a result, offline')
    .argument('<file...>', 'proof files, NAME.proof.json')
    .option('--input <file>', 'also check that the result is about this picture')
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      `
A proof holds the result, the statement that the device signed about it, and the device's key. That it is valid shows: this
device said that this model gave this result for the input with this digest. Whether the device is yours, compare its id:
shoal devices.
${exitCodesHelp}`,
    )
    .action(async (files: string[], options: { input?: string; json?: boolean }) => {
      const { verify } = await import('./commands/verify.ts');
      setExitCode(await verify(files, { ...options, json: options.json ?? false }, world));
    });
}

function addDevices(program: Command, world: World): void {
  const devices = program.command('devices').description('The fleet: list, show, rename, label, drain, revoke');
  const load = () => import('./commands/devices.ts');
  client(devices.command('list', { isDefault: true }).description('list all devices'), world, async (context) =>
    (await load()).listDevices(context),
  );
  client(
    devices
      .command('show')
      .description('what a device has and what it measured about itself')
      .argument('<device>', 'name or id'),
    world,
    async (context, [device = '']) => (await load()).showDevice(context, device),
  );
  client(
    devices.command('rename').description('give a device another name').argument('<device>').argument('<name>'),
    world,
    async (context, [device = '', name = '']) => (await load()).changeDevice(context, device, { name }),
  );
  client(
    devices
      .command('label')
      .description('set labels; NAME= takes one away')
      .argument('<device>')
      .argument('<name=value...>'),
    world,
    async (context, [device = '', ...labels]) => (await load()).labelDevice(context, device, parseLabels(labels)),
  );
  client<ClientOptions & { undo?: boolean }>(
    devices
      .command('drain')
      .description('let a device finish what it has, and give it nothing new')
      .argument('<device>')
      .option('--undo', 'give it work again'),
    world,
    async (context, [device = ''], { undo }) => (await load()).changeDevice(context, device, { draining: !undo }),
  );
  client(
    devices.command('revoke').description('refuse a device from now on').argument('<device>'),
    world,
    async (context, [device = '']) => (await load()).revokeDevice(context, device),
  );
}

function addTasks(program: Command, world: World): void {
  const tasks = program.command('tasks').description('One-shot analyses: list, show, cancel');
  const load = () => import('./commands/tasks.ts');
  client<ClientOptions & { state?: string; limit: number }>(
    tasks
      .command('list', { isDefault: true })
      .description('list tasks, newest first')
      .addOption(new Option('--state <state>', 'only these').choices(taskStates))
      .option('--limit <n>', 'how many', wholeNumber, 20),
    world,
    async (context, _words, { state, limit }) =>
      (await load()).listTasks(context, state === undefined ? { limit } : { state, limit }),
  );
  client(
    tasks.command('show').description('one task and its attempts').argument('<task>'),
    world,
    async (context, [id = '']) => (await load()).showTask(context, id),
  );
  client(tasks.command('cancel').description('end a task').argument('<task>'), world, async (context, [id = '']) =>
    (await load()).cancelTask(context, id),
  );
  const explain = 'Why a task ran where it ran, or why it waits';
  client(program.command('explain').description(explain).argument('<task>'), world, async (context, [id = '']) =>
    (await load()).explainTask(context, id),
  );
}

function addCameras(program: Command, world: World): void {
  const cameras = program
    .command('cameras')
    .description('Video that is watched all the time: list, add, set, remove, watch, proof');
  const load = () => import('./commands/cameras.ts');
  client(cameras.command('list', { isDefault: true }).description('list all cameras'), world, async (context) =>
    (await load()).listCameras(context),
  );
  const add = cameras
    .command('add')
    .description('watch a camera')
    .argument('<source>', 'rtsp://, http:// or a file on the device');
  client<ClientOptions & CameraOptions>(cameraOptions(add), world, async (context, [source = ''], options) =>
    (await load()).addCamera(context, { ...(await cameraChange(context, options)), source }),
  );
  const set = cameras.command('set').description('change a camera while it runs').argument('<camera>', 'name or id');
  client<ClientOptions & CameraOptions & { source?: string }>(
    cameraOptions(set).option('--source <url>', 'another source'),
    world,
    async (context, [camera = ''], { source, ...options }) =>
      (await load()).changeCamera(context, camera, {
        ...(await cameraChange(context, options)),
        ...(source === undefined ? {} : { source }),
      }),
  );
  client(
    cameras.command('remove').description('stop watching a camera; its results stay').argument('<camera>'),
    world,
    async (context, [camera = '']) => (await load()).removeCamera(context, camera),
  );
  client(
    cameras.command('watch').description('print what a camera sees, as it sees it').argument('<camera>'),
    world,
    async (context, [camera = '']) => (await load()).watchCamera(context, camera),
  );
  client<ClientOptions & { out?: string }>(
    cameras
      .command('proof')
      .description('save the proof of what a camera saw, for shoal verify')
      .argument('<camera>')
      .argument('[result]', 'id of a result, as watch --json prints it; the newest unless told')
      .option('-o, --out <file>', 'where to (RESULT.proof.json unless told)'),
    world,
    async (context, [camera = '', result], { out }) => (await load()).saveProof(context, camera, result, out),
  );
}

interface CameraOptions {
  readonly name?: string;
  readonly fps?: number;
  readonly pipeline?: string;
  readonly model?: string;
  readonly variant?: string;
  readonly minScore?: number;
  readonly loop?: boolean;
  readonly device?: string;
}

function cameraOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what to call it')
    .option('--fps <n>', 'pictures to analyse a second', positive)
    .option('-p, --pipeline <name>', 'detect or classify')
    .option('-m, --model <name>', 'model to run')
    .option('--variant <name>', 'variant of the model')
    .option('--min-score <score>', 'leave out what is less sure, 0 to 1', score)
    .option('--loop', 'play a file again from its start when it ends')
    .option('--device <device>', 'only on this device (name or id)');
}

async function cameraChange(context: Context, options: CameraOptions): Promise<object> {
  const { name, fps, pipeline, model, variant, minScore, loop, device } = options;
  const parameters = minScore === undefined ? undefined : { minScore };
  const only = device === undefined ? undefined : await deviceId(context, device);
  const change = { name, targetFps: fps, pipeline, model, variant, parameters, loop, device: only };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

async function deviceId(context: Context, word: string): Promise<string> {
  const { findDevice } = await import('./commands/devices.ts');
  return (await findDevice(context, word)).id;
}

function addTokens(program: Command, world: World): void {
  const tokens = program.command('token').description('How devices join: create, list, revoke');
  const load = () => import('./commands/tokens.ts');
  const create = tokens
    .command('create')
    .description('make a token; it says where devices reach this coordinator')
    .option('--uses <n>', 'how many devices may join with it', wholeNumber, 1)
    .addOption(
      new Option('--expires <time>', 'for how long, like 15m, 24h, 7d')
        .argParser(duration)
        .default(24 * 3_600_000, '24h'),
    )
    .option('--label <name=value...>', 'labels for the devices that join with it');
  client<ClientOptions & { uses: number; expires: number; label?: string[] }>(
    create,
    world,
    async (context, _words, options) =>
      (await load()).createToken(context, {
        uses: options.uses,
        lifetimeMs: options.expires,
        labels: parseLabels(options.label ?? []),
      }),
  );
  client(
    tokens.command('list').description('tokens, and how many devices may still join with each'),
    world,
    async (context) => (await load()).listTokens(context),
  );
  client(
    tokens.command('revoke').description('take a token back').argument('<id>'),
    world,
    async (context, [id = '']) => (await load()).revokeToken(context, id),
  );
}

function addKeys(program: Command, world: World): void {
  const keys = program.command('key').description('How programs are let in: create, list, revoke API keys');
  const load = () => import('./commands/keys.ts');
  client(
    keys.command('create').description('make an API key').argument('<name>', 'what it is for'),
    world,
    async (context, [name = '']) => (await load()).createKey(context, name),
  );
  client(keys.command('list').description('all keys, without the keys themselves'), world, async (context) =>
    (await load()).listKeys(context),
  );
  client(
    keys.command('revoke').description('refuse a key from now on').argument('<id>'),
    world,
    async (context, [id = '']) => (await load()).revokeKey(context, id),
  );
}

function addDoctor(program: Command, world: World, setExitCode: SetExitCode): void {
  program
    .command('doctor')
    .description('What this machine can decode, run and reach, and what to install')
    .option('--json', 'print JSON for programs')
    .option('--url <url>', 'where the coordinator answers')
    .option('--key <key>', 'its API key (better: SHOAL_API_KEY)')
    .option('--data <dir>', 'the data folder of a coordinator on this machine')
    .action(async (options: ClientOptions) => {
      const { doctor } = await import('./commands/doctor.ts');
      setExitCode(await doctor({ ...options, json: options.json ?? false }, world));
    });
}

function parseLabels(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
      if (name === undefined || value === undefined)
        throw new ShoalError('input.invalid', `a label is NAME=VALUE, not ${word}`);
      return [name, value];
    }),
  );
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('It is a number and a unit: 30s, 15m, 24h, 7d.');
  return ms;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number of at least 1.');
  return Number(text);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It is a number above 0.');
  return value;
}

function score(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a number from 0 to 1.');
  return value;
}
