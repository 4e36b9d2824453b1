import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { filesOf, installedPackages, installPacked, otherNode, pack, sizeMb } from '../support/packed.ts';
import { analysePhoto, hasPhotos } from '../support/photos.ts';

const run = promisify(execFile);
const photos = await hasPhotos();
const measured = { items: [{ profiles: expect.arrayContaining([expect.anything()]) }] };
const patience = { timeout: 60_000, interval: 200 };

/** What `npm pack` makes of each workspace, installed with nothing of this repository beside it. */
describe('a packed workspace', () => {
  let folder: string;
  let agent: string;
  let coordinator: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-packed-'));
    agent = await installPacked(await pack('agent', folder), await inside('agent'));
    coordinator = await installPacked(await pack('coordinator', folder), await inside('coordinator'));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function inside(name: string): Promise<string> {
    const place = join(folder, name);
    await mkdir(place);
    return place;
  }

  it('is an agent without coordinator, development tools and the binaries of other platforms, within 120 MB', async () => {
    const place = join(agent, '../../..');
    expect(await sizeMb(place)).toBeLessThan(120);
    const packages = await installedPackages(place);
    expect(packages.filter((name) => /shoal|typescript|vitest|rolldown|biome|fastify|aedes/.test(name))).toEqual([
      '@shoal/agent',
    ]);
    const native = (await filesOf(place)).filter((file) => /\.(node|so(\.\d+)*|dll|dylib)$/.test(file));
    const here = new RegExp(`${process.platform}[-/](x64|arm64)`);
    expect(native.length).toBeGreaterThan(0);
    expect(native.filter((file) => here.exec(file)?.[1] !== process.arch)).toEqual([]);
  });

  it('is an agent within 40 MB when it is packed without its engine, which says so', async () => {
    const bare = await installPacked(await pack('agent', await inside('bare'), 'none'), join(folder, 'bare'));
    expect(await sizeMb(join(bare, '../../..'))).toBeLessThan(40);
    const doctor = run(process.execPath, [join(bare, 'bin/shoal-agent.js'), 'doctor'], { cwd: folder });
    await expect(doctor).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/this package carries none for .*no model can run/s),
    });
  }, 120_000);

  it('names every package whose code is in it, with its licence', async () => {
    const text = await readFile(join(agent, 'bundle/THIRD-PARTY.txt'), 'utf8');
    for (const name of ['mqtt', 'protobufjs', 'tar-stream', 'onnxruntime-node']) {
      expect(text).toMatch(new RegExp(`^=+\\n${name} \\d`, 'm'));
    }
    expect(await readFile(join(agent, 'bundle/LICENSE'), 'utf8')).toContain('Apache License');
  });

  it('is a coordinator with the page in it, compressed, and the licences of what the page carries', async () => {
    const page = (await filesOf(join(coordinator, 'bundle/dashboard'))).filter((file) => !file.endsWith('.gz'));
    expect(page).toEqual(
      expect.arrayContaining(['index.html', 'icon.svg', expect.stringMatching(/^assets\/index-.*\.js\.br$/)]),
    );
    expect(page).not.toContain('modules.txt');
    expect(await readFile(join(coordinator, 'bundle/THIRD-PARTY.txt'), 'utf8')).toMatch(/^=+\nsvelte \d/m);
    expect(await sizeMb(join(coordinator, 'bundle/dashboard'))).toBeLessThan(1);
  });

  it.each(['protocol', 'models', 'simulations', 'firmware-bridge'])(
    'is %s, which installs by itself',
    async (name) => {
      const place = await installPacked(await pack(name, await inside(name), 'none'), join(folder, name));
      const manifest = JSON.parse(await readFile(join(place, 'package.json'), 'utf8'));
      const [bin] = Object.values<string>(manifest.bin ?? {});
      if (bin) {
        const { stdout } = await run(process.execPath, [join(place, bin), '--help'], { cwd: folder });
        expect(stdout).toContain('Usage');
      } else {
        const script = `console.log(typeof await import('${manifest.name}'))`;
        const options = { cwd: join(folder, name, 'app') };
        const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], options);
        expect(stdout).toBe('object\n');
      }
    },
    300_000,
  );

  for (const major of [22, 24, 26]) {
    const node = otherNode(major);
    describe.skipIf(!node)(`on Node ${major}${node ? '' : ' (not there: see test/support/packed.ts)'}`, () => {
      it('joins a packed coordinator and analyses a picture', async () => {
        await using fleet = await Fleet.start({
          agents: 1,
          programs: {
            coordinator: [node as string, join(coordinator, 'bin/shoal.js')],
            agent: [node as string, join(agent, 'bin/shoal-agent.js')],
          },
        });
        const { items } = await fleet.json<{ items: { id: string }[] }>('GET', '/v1/devices');
        expect(items).toHaveLength(1);
        if (!photos) return;
        await analysePhoto(fleet, 'efficientdet-lite0', 'int8');
        // In a process of its own, which the agent has to find.
        await vi.waitFor(async () => expect(await fleet.json('GET', '/v1/devices')).toMatchObject(measured), patience);
      }, 120_000);
    });
  }
});
