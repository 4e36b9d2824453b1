import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type LogRecord } from '@shoal/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogueManifests, knownManifests, manifestDirectory } from '../../src/manifest/index.ts';

const shippedNames = catalogueManifests.map(({ name }) => name);
const [shipped] = catalogueManifests;
const mine = { ...shipped, name: 'my-detector', title: 'Mine' };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-manifests-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = (name: string, content: unknown) =>
  writeFile(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));

/** What is known, and what the log says of it. */
function known(folder = directory) {
  const records: LogRecord[] = [];
  const manifests = knownManifests(
    folder,
    createLogger((record) => records.push(record), 'warn'),
  );
  const refused = records.map(({ fields }) => ({ file: String(fields?.['file'] ?? ''), why: String(fields?.['why']) }));
  return { manifests, names: manifests.map(({ name }) => name), refused };
}

describe("a user's own manifests", () => {
  it('are known beside those that come with Shoal', async () => {
    await write('mine.json', mine);
    await write('notes.txt', 'no manifest');
    expect(known()).toMatchObject({ names: [...shippedNames, 'my-detector'], refused: [] });
  });

  it('take the place of a shipped one of the same name', async () => {
    await write('better.json', { ...shipped, title: 'Better' });
    const { manifests } = known();
    expect(manifests).toHaveLength(catalogueManifests.length);
    expect(manifests.find(({ name }) => name === shipped?.name)?.title).toBe('Better');
  });

  it('are none where there is no folder', () => {
    expect(known(join(directory, 'nowhere'))).toMatchObject({ names: shippedNames, refused: [] });
  });

  it.each([
    ['half a file', '{"schema": 1,', /is not JSON/],
    ['a wrong field', { ...mine, labels: 'all' }, /manifest\.labels must be a list/],
    ['more bytes than a manifest has', ' '.repeat(9 << 20), /9437184 bytes/],
    [
      'a digest that is not its source’s',
      {
        ...mine,
        variants: [
          {
            ...shipped?.variants[0],
            sha256: 'ab'.repeat(32),
            source: { kind: 'file', from: { url: 'file:/m.onnx', sha256: 'cd'.repeat(32), sizeBytes: 5 } },
          },
        ],
      },
      new RegExp(`variants\\[0\\]\\.sha256 must be .*${'cd'.repeat(32)}; it is "${'ab'.repeat(32)}"`),
    ],
  ])('are left out with %s, which the log names, and the others stay', async (_, content, why) => {
    await write('bad.json', content);
    await write('good.json', mine);
    const { names, refused } = known();
    expect(names).toEqual([...shippedNames, 'my-detector']);
    expect(refused).toEqual([{ file: join(directory, 'bad.json'), why: expect.stringMatching(why) }]);
  });

  it('are left out when another file has their name', async () => {
    await write('a.json', mine);
    await write('b.json', { ...mine, title: 'The other' });
    const { manifests, refused } = known();
    expect(manifests.at(-1)?.title).toBe('Mine');
    expect(refused).toEqual([{ file: join(directory, 'b.json'), why: expect.stringContaining('a.json') }]);
  });

  it('are left out beyond what one folder may hold', async () => {
    for (let i = 0; i < 257; i++) await write(`m${String(i).padStart(3, '0')}.json`, { ...mine, name: `m${i}` });
    const { names, refused } = known();
    expect(names).toHaveLength(shippedNames.length + 256);
    expect(refused).toEqual([{ file: join(directory, 'm256.json'), why: expect.stringContaining('256') }]);
  });

  it('are left out where the folder or a file cannot be read', async () => {
    await mkdir(join(directory, 'folder.json'));
    await write('file', '');
    expect(known().refused).toMatchObject([{ file: join(directory, 'folder.json') }]);
    expect(known(join(directory, 'file'))).toMatchObject({ names: shippedNames, refused: [{}] });
  });
});

describe('where they lie', () => {
  it.each([
    ['linux', {}, '/me/.config/shoal/manifests'],
    ['linux', { XDG_CONFIG_HOME: '/etc/mine' }, '/etc/mine/shoal/manifests'],
    ['linux', { XDG_CONFIG_HOME: 'relative' }, '/me/.config/shoal/manifests'],
    ['darwin', {}, '/me/Library/Application Support/shoal/manifests'],
    ['win32', { APPDATA: '/roaming' }, '/roaming/shoal/manifests'],
    ['linux', { SHOAL_MANIFESTS_DIR: '/chosen' }, '/chosen'],
  ] as const)('on %s with %j is %s', (platform, environment, expected) => {
    expect(manifestDirectory({ platform, homeDirectory: '/me', environment })).toBe(expected);
  });
});
