import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '@shoal/coordinator';
import { Fleet } from '../../support/fleet.ts';
import { hasRtspServer, RtspServer } from '../../support/rtsp-server.ts';
import { absoluteFigure, type Bench, quantile, type Report } from '../harness.ts';

/** Cameras that go through outages at the same time, and outages of each. */
const cameras = 2;
const outagesEach = 51;
const backWithinMs = 5_000;
const patienceMs = 60_000;

const outages = ['killed', 'cut off', 'another size'] as const;
type Outage = (typeof outages)[number];

export const recoveryBench: Bench = {
  name: 'recovery',
  title: `RTSP cameras that are killed, cut off, and come back with another size, ${cameras * outagesEach} times: how soon they are analysed again`,
  missing: async () => (hasRtspServer() ? undefined : 'it needs gir1.2-gst-rtsp-server-1.0 and python3-gi'),
  async run(report) {
    await using fleet = await Fleet.start({ agents: 1 });
    await fleet.untilMeasured();
    const all = Array.from({ length: cameras }, () => throughOutages(fleet, report));
    const backMs = (await Promise.all(all)).flat();
    for (const outage of outages) {
      const those = backMs.filter((each) => each.outage === outage).map(({ ms }) => ms);
      report.line(
        `${outage}: ${those.length} times, back after ${quantile(those, 0.5).toFixed(0)} ms (p50), at most ${Math.max(...those).toFixed(0)} ms`,
      );
    }
    const within = backMs.filter(({ ms }) => ms <= backWithinMs).length;
    return [
      absoluteFigure(
        `back within ${backWithinMs / 1_000} s of the source`,
        '% of outages',
        (100 * within) / backMs.length,
        {
          atLeast: 100,
        },
      ),
    ];
  },
};

async function throughOutages(fleet: Fleet, report: Report): Promise<readonly { outage: Outage; ms: number }[]> {
  await using server = await RtspServer.start({ fps: 10 });
  const source = { source: server.url, pipeline: 'detect', targetFps: 5 };
  const { id } = await fleet.json<{ id: string }>('POST', '/v1/cameras', source);
  const over = new AbortController();
  const results = new ApiClient({ url: fleet.url }).events(`/v1/cameras/${id}/events`, over.signal);
  const analysedAfter = async (sinceMs: number): Promise<number> => {
    const limit = setTimeout(() => over.abort(new Error('it did not come back')), patienceMs);
    for (;;) {
      const { value, done } = await results.next();
      if (done) throw new Error('the results have ended');
      const { analysis } = value.data as { analysis: { frame: { capturedAtMs: number } } };
      if (analysis.frame.capturedAtMs <= sinceMs) continue;
      clearTimeout(limit);
      return Date.now() - sinceMs;
    }
  };
  await analysedAfter(Date.now());
  const measured: { outage: Outage; ms: number }[] = [];
  for (let number = 0; number < outagesEach; number++) {
    const outage = outages[number % outages.length] as Outage;
    const sinceMs = await comeAndGo(server, outage, number);
    measured.push({ outage, ms: await analysedAfter(sinceMs) });
    if (number % 10 === 9) report.line(`${number + 1} outages of ${outagesEach}`);
    // What came before the next outage must not be taken for what comes after it.
    await analysedAfter(Date.now() + 500);
  }
  over.abort();
  return measured;
}

/** Resolves with when the source was there again, ms since the Unix epoch. */
async function comeAndGo(server: RtspServer, outage: Outage, number: number): Promise<number> {
  const awayMs = 1_000 + ((number * 1_733) % 7_000);
  if (outage === 'cut off') {
    server.freeze();
    await sleep(awayMs);
    server.thaw();
    return Date.now();
  }
  await server.kill();
  await sleep(awayMs);
  await server.restart(outage === 'another size' ? { width: 320 + 32 * (number % 7), height: 240 } : {});
  return Date.now();
}
