import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModelStore, defaultCacheDirectory } from '@shoal/models';
import { silentLogger } from '@shoal/protocol';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { analysePhoto, hasPhotos } from '../support/photos.ts';
import { submitPhoto, taskFinal } from '../support/tasks.ts';

let directory: string;
const before = process.env['SHOAL_MANIFESTS_DIR'];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-own-model-'));
  process.env['SHOAL_MANIFESTS_DIR'] = directory;
});
afterEach(async () => {
  if (before === undefined) delete process.env['SHOAL_MANIFESTS_DIR'];
  else process.env['SHOAL_MANIFESTS_DIR'] = before;
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(!(await hasPhotos()))("a user's own model", () => {
  it('runs under its own name; one whose file is another fails with the file and both digests', async () => {
    const { manifest, variant, path } = await lite0();
    const from = { url: `file:${path}`, sha256: variant.sha256, sizeBytes: variant.sizeBytes };
    const own = { ...variant, name: 'mine', source: { kind: 'file', from } };
    await write({ ...manifest, name: 'my-detector', variants: [own] });
    const wrong = 'ab'.repeat(32);
    const other = { ...own, sha256: wrong, source: { kind: 'file', from: { ...from, sha256: wrong } } };
    await write({ ...manifest, name: 'another', variants: [other] });

    await using fleet = await Fleet.start({ agents: 1 });
    await analysePhoto(fleet, 'my-detector');
    const failed = await taskFinal(fleet, await submitPhoto(fleet, { model: 'another', maxAttempts: '1' }));
    expect(failed.state).toBe('failed');
    for (const fact of [path, variant.sha256, wrong]) expect(failed.reason).toContain(fact);
  });
});

const write = (manifest: { readonly name: string; readonly [field: string]: unknown }) =>
  writeFile(join(directory, `${manifest.name}.json`), JSON.stringify(manifest));

/** The smallest detector, as it lies on this machine. */
function lite0() {
  const folders = { platform: process.platform, homeDirectory: homedir(), environment: process.env };
  const store = createModelStore(
    { clock: systemClock, random: systemRandom, logger: silentLogger },
    { cacheDirectory: defaultCacheDirectory(folders) },
  );
  return store.resolve('efficientdet-lite0', 'int8', { signal: AbortSignal.timeout(120_000) });
}
