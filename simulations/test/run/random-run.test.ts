import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryDisk } from '@shoal/coordinator';
import { randomRun } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

/** A share of what `npm run nightly` runs. */
const seeds = Array.from({ length: 15 }, (_, index) => index + 1);
/** A life takes half a second of a processor, which may have other things to do. */
const patienceMs = 180_000;

describe('a random life of a fleet', () => {
  it('keeps every promise, whatever crashes, is lost, cut off, full, torn, slow, hot, empty, wrong or meddled with', {
    timeout: patienceMs,
  }, async () => {
    let [succeeded, reports, faults] = [0, 0, 0];
    for (const seed of seeds) {
      const report = await randomRun(seed);
      expect({ seed, broken: report.broken }).toEqual({ seed, broken: [] });
      succeeded += report.succeeded;
      reports += report.reports - report.succeeded;
      faults += report.faults;
    }
    process.stdout.write(`${seeds.length} lives of whole agents with ${faults} faults, no promise broken\n`);
    // What is put to the test is there.
    expect(succeeded).toBeGreaterThan(seeds.length * 10);
    expect(reports).toBeGreaterThan(seeds.length * 10);
    expect(faults).toBeGreaterThan(seeds.length * 30);
  });

  it('keeps every promise when all is sealed, and nobody on the wire reads anything', {
    timeout: patienceMs,
  }, async () => {
    let [succeeded, faults] = [0, 0];
    for (const seed of [101, 102, 103, 104, 105]) {
      const report = await randomRun(seed, { seals: true });
      expect({ seed, broken: report.broken }).toEqual({ seed, broken: [] });
      succeeded += report.succeeded;
      faults += report.faults;
    }
    expect([succeeded > 50, faults > 150]).toEqual([true, true]);
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
