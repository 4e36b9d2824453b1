import type { Command } from 'commander';
import type { ClientOptions, Context } from '../context.ts';
import type { World } from '../world.ts';
import { client, deviceId } from './client.ts';
import { digit, positive, score } from './values.ts';

export function addCameras(program: Command, world: World): void {
  const cameras = program
    .command('cameras')
    .description('Video that is watched all the time: list, discover, add, set, remove, watch, proof');
  const load = () => import('../commands/cameras.ts');
  client(cameras.command('list', { isDefault: true }).description('list all cameras'), world, async (context) =>
    (await load()).listCameras(context),
  );
  client<ClientOptions & DiscoverOptions>(
    cameras
      .command('discover')
      .description("look for cameras on the coordinator's network: ONVIF, mDNS, CoAP")
      .option('--login <user>', 'for cameras of ONVIF; the password is asked for, or read from SHOAL_CAMERA_PASSWORD')
      .option('--seconds <n>', 'how long to listen (6 unless told)', positive),
    world,
    async (context, _words, options) => (await import('../commands/discover.ts')).discoverCameras(context, options),
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

interface DiscoverOptions {
  readonly login?: string;
  readonly seconds?: number;
}

interface CameraOptions {
  readonly name?: string;
  readonly fps?: number;
  readonly p95?: number;
  readonly priority?: number;
  readonly substream?: string;
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
    .option('--p95 <ms>', 'time in which 95 of 100 pictures are to be analysed', positive)
    .option('--priority <0-9>', 'who has less gives way when not everything fits (5 unless told)', digit)
    .option('--substream <url>', 'the same picture in small, for when there is no room to decode the source')
    .option('-p, --pipeline <name>', 'detect or classify')
    .option('-m, --model <name>', 'model to run')
    .option('--variant <name>', 'variant of the model')
    .option('--min-score <score>', 'leave out what is less sure, 0 to 1', score)
    .option('--loop', 'play a file again from its start when it ends')
    .option('--device <device>', 'only on this device (name or id)');
}

async function cameraChange(context: Context, options: CameraOptions): Promise<object> {
  const { name, fps, p95: p95Ms, priority, substream, pipeline, model, variant, minScore, loop, device } = options;
  const parameters = minScore === undefined ? undefined : { minScore };
  const only = device === undefined ? undefined : await deviceId(context, device);
  const change = {
    name,
    targetFps: fps,
    p95Ms,
    priority,
    substream,
    pipeline,
    model,
    variant,
    parameters,
    loop,
    device: only,
  };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
