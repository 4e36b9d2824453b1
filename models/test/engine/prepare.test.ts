import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { silentLogger as logger } from '@shoal/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { createOnnxEngine } from '../../src/engine/index.ts';
import { aDetector, aFrame, aScene } from './tiny-models.ts';

const never = new AbortController().signal;
const scene = aScene([{ anchor: 0, codes: [0, 5, 0, 0], classIndex: 2, logit: 40 }]);

/** What an engine sees that prepares models with this script, and what lies in its folder then. */
async function seenWith(script: string) {
  const parent = await mkdtemp(join(tmpdir(), 'shoal-prepare-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const prepare = join(parent, 'prepare.mjs');
  await writeFile(prepare, script);
  const preparedDirectory = join(parent, 'prepared');
  const engine = createOnnxEngine({ logger }, { preparedDirectory, prepare: pathToFileURL(prepare) });
  onTestFinished(() => engine.dispose());
  const model = await engine.load(aDetector(), never);
  const { output } = await model.infer(aFrame(scene, 10), { minScore: 0 }, never);
  return { output, files: await readdir(preparedDirectory) };
}

it.each([
  ['crashes', 'process.abort();'],
  ['writes nothing', ''],
  [
    'is killed half-way',
    `import { writeFileSync } from 'node:fs';
     writeFileSync(JSON.parse(process.argv[2]).path, 'half');
     process.kill(process.pid, 'SIGKILL');`,
  ],
])(
  'a process that prepares a model and %s costs nothing but its time, and leaves nothing behind',
  async (_, script) => {
    const { output, files } = await seenWith(script);
    expect(output).toMatchObject({ detections: [{ label: 'dog' }] });
    expect(files).toEqual([]);
  },
);
