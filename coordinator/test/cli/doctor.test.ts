import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { shoal } from './a-shell.ts';

const folder = await mkdtemp(join(tmpdir(), 'shoal-doctor-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `shoal doctor` where there is no ffmpeg of the system, and an agent that reports this. */
async function doctor(report: object) {
  const hardware = { cpu: { model: 'a cpu', usableCores: 4 }, memory: { usableBytes: 8e9 }, disk: { freeBytes: 9e9 } };
  const engines = [{ name: 'onnx', works: true, detail: 'runs' }];
  const advice = ['cameras are read with an old ffmpeg that came with npm'];
  const said = { hardware, video: { decoders: ['h264'] }, engines, models: [], advice, ...report };
  await writeFile(join(folder, 'shoal-agent'), `console.log(${JSON.stringify(JSON.stringify(said))})`);
  return shoal(['doctor', '--url', 'http://127.0.0.1:1'], { env: { PATH: folder } });
}

describe('shoal doctor', () => {
  it('says each thing once, in decimal units', async () => {
    const { code, out } = await doctor({});
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => /^warn.*ffmpeg/.test(line))).toHaveLength(1);
    expect(out).toMatch(/machine +a cpu, 4 cores, 8\.0 GB/);
    expect(out).toMatch(/ok +disk +9\.0 GB free/);
    expect(out).not.toContain('advice');
  });

  it('warns of a disk that is nearly full, and fails without an engine', async () => {
    const { code, out } = await doctor({
      hardware: { disk: { freeBytes: 100e6 } },
      engines: [{ name: 'onnx', works: false, detail: 'no such instruction' }],
    });
    expect(code).toBe(1);
    expect(out).toMatch(/warn +disk +100 MB free\n.*do: free some/);
    expect(out).toMatch(/FAIL +runs +onnx: no such instruction/);
  });
});
