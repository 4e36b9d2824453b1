import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryDisk } from '@shoal/coordinator';
import { randomRun } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const seeds = Array.from({ length: 25 }, (_, index) => index + 1);

describe('a random life of a fleet', () => {
  it('keeps every promise, whatever crashes, is lost, cut off, full, slow, wrong or meddled with', async () => {
    let succeeded = 0;
    let reports = 0;
    for (const seed of seeds) {
      const report = await randomRun(seed);
      expect({ seed, broken: report.broken }).toEqual({ seed, broken: [] });
      expect(report.faults).toBeGreaterThan(0);
      succeeded += report.succeeded;
      reports += report.reports - report.succeeded;
    }
    // What is put to the test is there.
    expect(succeeded).toBeGreaterThan(25 * 10);
    expect(reports).toBeGreaterThan(25 * 10);
  });

  it('is the same to the byte when its seed is the same, and another when it is not', async () => {
    const [first, again, other] = [await randomRun(11), await randomRun(11), await randomRun(12)];
    expect(again.traceDigest).toBe(first.traceDigest);
    expect(other.traceDigest).not.toBe(first.traceDigest);
  });

  it('leaves nothing in memory when it is over, whatever its processes waited for when they crashed', async () => {
    const disks = [await diskAfterRun(1), await diskAfterRun(2), await diskAfterRun(3)];
    let left = disks.length;
    // What is weakly held stays until the end of the turn, and what was used last sometimes for some turns more.
    for (let turn = 0; turn < 20 && left > 0; turn++) {
      await new Promise(setImmediate);
      collectGarbage();
      left = disks.filter((disk) => disk.deref() !== undefined).length;
    }
    expect(left).toBe(0);
  });
});

/** What the world stood on knows of nothing else; what is left of its processes knows of it. */
async function diskAfterRun(seed: number): Promise<WeakRef<MemoryDisk>> {
  const disk = new MemoryDisk();
  await randomRun(seed, { disk });
  return new WeakRef(disk);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
