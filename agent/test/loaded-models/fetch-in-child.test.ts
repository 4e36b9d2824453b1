import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelShelf } from '@shoal/agent';
import { createLogger, type LogRecord } from '@shoal/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fetchingInChild } from '../../src/loaded-models/real/index.ts';
import { never, tinyDetector } from '../support/a-fleet.ts';

const { name } = tinyDetector;
const [variant] = tinyDetector.variants;
if (!variant) throw new Error('no variant');
const held = { manifest: tinyDetector, variant };

/** A shelf that has the model, or has not got it yet, and a process that fetches by running this script. */
async function aShelf(script: string | undefined, has = false) {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-fetch-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'fetch.mjs');
  await writeFile(path, script ?? '');
  const shelf = {
    knows: (model) => model === name,
    resolve: vi.fn<ModelShelf['resolve']>(async () => ({ ...held, path: 'the file' })),
    held: async () => (has ? [held] : []),
  } satisfies ModelShelf;
  const records: LogRecord[] = [];
  const logger = createLogger((record) => records.push(record));
  const fetching = fetchingInChild({ shelf, logger, ...(script !== undefined && { script: pathToFileURL(path) }) });
  return { fetching, shelf, records };
}

describe('a shelf that has models fetched in a process of its own', () => {
  it('asks that process first for what is not here, and logs what it says', async () => {
    const { fetching, shelf, records } = await aShelf(
      `process.send({ kind: 'log', record: { level: 'info', message: process.argv.slice(2).join(), fields: { a: 1 } } });
       process.send({ kind: 'fetched' });`,
    );
    expect(await fetching.resolve(name, '', never)).toMatchObject({ path: 'the file' });
    expect(records).toEqual([{ level: 'info', message: `${name},`, fields: { a: 1 } }]);
    expect(shelf.resolve).toHaveBeenCalledOnce();
  });

  it.each(['', variant.name])('starts none for what is here (variant "%s")', async (asked) => {
    const { fetching } = await aShelf('process.exit(7)', true);
    expect(await fetching.resolve(name, asked, never)).toMatchObject({ path: 'the file' });
  });

  it('starts none for what nobody knows', async () => {
    const { fetching } = await aShelf('process.exit(7)');
    expect(await fetching.resolve('other', '', never)).toMatchObject({ path: 'the file' });
  });

  it('fails as that process failed, by its code', async () => {
    const { fetching, shelf } = await aShelf(
      `process.send({ kind: 'failed', code: 'io.disk-full', message: 'no room', facts: { path: '/x' } });`,
    );
    await expect(fetching.resolve(name, '', never)).rejects.toMatchObject({
      code: 'io.disk-full',
      message: 'no room',
      facts: { path: '/x' },
    });
    expect(shelf.resolve).not.toHaveBeenCalled();
  });

  it('says how that process ended when it said nothing', async () => {
    const { fetching } = await aShelf('process.exit(7)');
    await expect(fetching.resolve(name, '', never)).rejects.toMatchObject({ code: 'io.failed', message: /code 7/ });
  });

  it('ends that process when nobody waits any more', async () => {
    const { fetching, records } = await aShelf(
      `process.send({ kind: 'log', record: { level: 'info', message: String(process.pid), fields: {} } }); setInterval(() => {}, 1000);`,
    );
    const abort = new AbortController();
    const failed = expect(fetching.resolve(name, '', abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    await vi.waitFor(() => expect(records).toHaveLength(1));
    abort.abort();
    await failed;
    await vi.waitFor(() => expect(() => process.kill(Number(records[0]?.message), 0)).toThrow('ESRCH'));
  });

  it('has a real one that says what is wrong', async () => {
    const { fetching } = await aShelf(undefined);
    await expect(fetching.resolve(name, '', never)).rejects.toMatchObject({ code: 'model.unknown' });
  });
});
