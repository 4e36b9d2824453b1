import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCacheDirectory } from '@shoal/models';
import { catalogueManifests } from '@shoal/models/manifest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coordinatorBin, Fleet, type FleetOptions } from '../support/fleet.ts';
import { installPacked, pack, sizeMb } from '../support/packed.ts';
import { hasPhotos, photoFiles } from '../support/photos.ts';

const board = join(import.meta.dirname, '../../node_modules/.cache/shoal/arm64');
const isThere = existsSync(join(board, 'complete')) && (await hasPhotos());
const why = isThere ? '' : ' (no emulated board, scripts/arm64.sh makes one, or no pictures)';

/** The agent as it is packed for ARM, on an emulated Cortex-A72, with a coordinator on this machine. */
describe.skipIf(!isThere)(`on arm64${why}`, () => {
  let folder: string;
  let agent: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-arm64-'));
    const args = ['--force', '--cpu=arm64', '--os=linux', '--libc=glibc'];
    agent = await installPacked(await pack('agent', folder, 'linux-arm64'), folder, args);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('takes less than 120 MB', async () => {
    expect(await sizeMb(join(agent, '../../..'))).toBeLessThan(120);
  });

  it('joins, and finds in a picture what the same model finds on x64', async () => {
    const here = await detections({ agents: 1 });
    expect(here.length).toBeGreaterThan(0);
    // A cache of its own with the one model that the fleet above has fetched: an agent measures each model that it finds, here for minutes.
    const cache = join(folder, 'cache');
    await cp(cached(defaultCache()), cached(cache), { recursive: true });
    const coordinator = [process.execPath, coordinatorBin];
    const arm = [join(board, 'node.sh'), join(agent, 'bin/shoal-agent.js')];
    const programs = { coordinator, agent: arm };
    expect(await detections({ agents: 1, programs, agentEnv: { SHOAL_CACHE_DIR: cache } }, 'arm64')).toEqual(here);
  }, 240_000);
});

/** EfficientDet-Lite0 int8, as it is converted, in a cache. */
function cached(cache: string): string {
  const manifest = catalogueManifests.find(({ name }) => name === 'efficientdet-lite0');
  const { sha256 = '' } = manifest?.variants.find(({ name }) => name === 'int8') ?? {};
  return join(cache, 'files', sha256.slice(0, 2), sha256);
}

function defaultCache(): string {
  return defaultCacheDirectory({ platform: process.platform, homeDirectory: homedir(), environment: process.env });
}

interface FinishedTask {
  readonly state: string;
  readonly result: { readonly analysis: { readonly detections: readonly { readonly label: string }[] } };
}

/** What EfficientDet-Lite0 int8 finds in the first picture, on the one device of a fleet. */
async function detections(options: FleetOptions, architecture: string = process.arch) {
  await using fleet = await Fleet.start(options);
  expect(JSON.stringify(await fleet.json('GET', '/v1/devices'))).toContain(architecture);
  const [path = ''] = await photoFiles();
  const form = new FormData();
  const fields = { pipeline: 'detect', model: 'efficientdet-lite0', variant: 'int8', deadlineMs: '180000' };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([await readFile(path)], { type: 'image/jpeg' }), 'photo.jpg');
  const { id } = (await (await fetch(`${fleet.url}/v1/tasks`, { method: 'POST', body: form })).json()) as {
    id: string;
  };
  const task = await fleet.json<FinishedTask>('GET', `/v1/tasks/${id}?wait=180000`);
  expect(task.state).toBe('succeeded');
  return task.result.analysis.detections;
}
