import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { every, ShoalError } from '@shoal/protocol';
import type { Camera, Result } from '../../http/index.ts';
import { cameraTrouble } from '../client/index.ts';
import type { Context } from '../context.ts';
import { type Paint, printable, resultSummary, shortened, table } from '../output/index.ts';
import { deviceNames, nameOf } from './tasks.ts';

export type CameraChange = Partial<
  Omit<Camera, 'device' | 'refused' | 'reason' | 'status' | 'grant' | 'moves' | 'service'>
> & {
  readonly device?: string;
};

export async function listCameras(context: Context): Promise<void> {
  const { items } = await context.api.call<{ items: Camera[] }>('GET', '/v1/cameras');
  const names = await deviceNames(context);
  context.show(items, () =>
    items.length === 0
      ? 'No cameras. Add one: shoal cameras add rtsp://HOST/STREAM'
      : cameraTable(items, names, context.paint),
  );
}

function cameraTable(cameras: readonly Camera[], names: ReadonlyMap<string, string>, paint: Paint): string {
  return table(
    cameras,
    [
      { title: 'NAME', value: ({ name }) => printable(name) },
      {
        title: 'STATE',
        value: ({ status, device }) => status?.state ?? (device === undefined ? 'waiting' : 'assigned'),
      },
      { title: 'WHERE', value: ({ device }) => (device === undefined ? '-' : nameOf(device, names)) },
      {
        title: 'FPS',
        value: ({ status, targetFps }) => `${status?.fps.toFixed(1) ?? '-'}/${targetFps}`,
        align: 'right',
      },
      {
        title: 'PIPELINE',
        value: ({ pipeline, model }) => printable(`${pipeline}${model === undefined ? '' : ` ${model}`}`),
      },
      { title: 'SOURCE', value: ({ source }) => shortened(printable(source)) },
      { title: 'DECODE', value: ({ grant, status }) => status?.decode || grant?.decode || '-' },
      { title: 'WHY', value: (camera) => paint('dim', printable(whyText(camera))) },
      { title: 'ID', value: ({ id }) => paint('dim', id) },
    ],
    paint,
  );
}

/** What is wrong with it; where it came from, for a while; or why it is where it is. */
function whyText({ status, service, moves, reason }: Camera): string {
  if (status?.reason) return status.reason;
  if (status?.state === 'running' && !service.met) return service.detail;
  const last = moves.at(-1);
  return last === undefined ? reason : `${reason}; moved: ${last.reason}`;
}

export async function addCamera(context: Context, change: CameraChange & { readonly source: string }): Promise<void> {
  const json = { ...change, source: sourceHere(change.source) };
  const camera = await context.api.call<Camera>('POST', '/v1/cameras', { json });
  const names = await deviceNames(context);
  context.show(camera, () => cameraTable([camera], names, context.paint));
}

/** The whole path of a file that is here: devices have another working directory. Anything else is for the device to know. */
function sourceHere(source: string): string {
  return existsSync(source) ? resolve(source) : source;
}

export async function changeCamera(context: Context, word: string, change: CameraChange): Promise<void> {
  if (Object.keys(change).length === 0)
    throw new ShoalError('input.invalid', `say what to change of ${word}, for example --fps 2; --help lists all`);
  const camera = await findCamera(context, word);
  const { name, source, substream, pipeline, model, variant, targetFps, p95Ms, priority, parameters, loop, labels } =
    camera;
  const order = { name, source, substream, pipeline, model, variant, parameters, loop, labels };
  const spec = { ...order, targetFps, p95Ms, priority, device: camera.onlyDevice };
  const changed = await context.api.call<Camera>('PUT', `/v1/cameras/${camera.id}`, {
    json: { ...spec, ...change, ...(change.source === undefined ? {} : { source: sourceHere(change.source) }) },
  });
  const names = await deviceNames(context);
  context.show(changed, () => cameraTable([changed], names, context.paint));
}

export async function removeCamera(context: Context, word: string): Promise<void> {
  const { id, name } = await findCamera(context, word);
  await context.api.call('DELETE', `/v1/cameras/${id}`);
  context.show({ id, removed: true }, () => `${printable(name)} is removed. Its results stay.`);
}

/** Prints what a camera sees until it is interrupted: a line when something changes; with `--json` one line for every result. */
export async function watchCamera(context: Context, word: string): Promise<void> {
  const { id, name } = await findCamera(context, word);
  const stop = context.json ? () => {} : sayTroubles(context, id);
  try {
    await printResults(context, id, name);
  } finally {
    stop();
  }
}

async function printResults(context: Context, id: string, name: string): Promise<void> {
  let last = '';
  for await (const { event, data } of context.api.events(`/v1/cameras/${id}/events`, context.world.interrupted)) {
    if (event !== 'result') continue;
    if (context.json) {
      context.print(JSON.stringify(data));
      continue;
    }
    const result = data as Result;
    const summary = resultSummary(result.analysis);
    if (summary !== last)
      context.print(`${new Date(result.receivedAt).toTimeString().slice(0, 8)}  ${printable(name)}  ${summary}`);
    last = summary;
  }
}

/** Saves the proof of a result of a camera, the newest unless told which. */
export async function saveProof(context: Context, word: string, result?: string, out?: string): Promise<void> {
  const camera = await findCamera(context, word);
  const id = result ?? (await newestResult(context, camera));
  const file = out ?? `${id}.proof.json`;
  await writeFile(file, await context.api.bytes(`/v1/cameras/${camera.id}/results/${encodeURIComponent(id)}/bundle`));
  context.show({ camera: camera.id, result: id, proof: file }, () => `${file}   check it: shoal verify ${file}`);
}

async function newestResult({ api }: Context, { id, name }: Camera): Promise<string> {
  const { items } = await api.call<{ items: Result[] }>('GET', `/v1/cameras/${id}/results`, { query: { limit: 1 } });
  const [newest] = items;
  if (!newest) throw new ShoalError('not-found', `${name} has no result yet; shoal cameras watch says why`);
  return newest.id;
}

const troublesEveryMs = 2_000;

/** Says on standard error why a camera shows nothing, once for each reason. */
function sayTroubles({ api, world }: Context, id: string): () => void {
  let last = '';
  const look = async () => {
    const trouble = cameraTrouble(await api.call<Camera>('GET', `/v1/cameras/${id}`, { signal: world.interrupted }));
    if (trouble !== '' && trouble !== last) world.stderr.write(`${printable(trouble)}\n`);
    last = trouble;
  };
  // A coordinator that does not answer ends the stream of results, which is said there.
  const lookSafely = () => void look().catch(() => {});
  lookSafely();
  return every(world.clock, 'cli/cameras/troubles', troublesEveryMs, lookSafely);
}

/** The camera that is meant by a name or an id. @throws `not-found`, `conflict` */
export async function findCamera({ api }: Context, word: string): Promise<Camera> {
  const { items } = await api.call<{ items: Camera[] }>('GET', '/v1/cameras');
  const found = items.filter(({ id, name }) => id === word || name === word);
  const [camera] = found;
  if (!camera) throw new ShoalError('not-found', `there is no camera ${word}; shoal cameras lists them`);
  if (found.length === 1) return camera;
  const ids = found.map(({ id }) => id);
  throw new ShoalError('conflict', `${found.length} cameras are called ${word}; use the id: ${ids.join(', ')}`, {
    ids,
  });
}
