import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { Child } from '../../support/child.ts';
import { Fleet } from '../../support/fleet.ts';
import { freePort } from '../../support/mosquitto.ts';
import { type Bench, interleave, median, type Report, ratioFigure } from '../harness.ts';

const oneByOne = 300;
const manyJobs = 4_000;
const inFlight = 200;
const rounds = 7;

/** Submits one no-op and waits for its result. */
type Submit = () => Promise<void>;

export const dispatch: Bench = {
  name: 'dispatch',
  title:
    'a no-op from submit (durable) to a worker process and back (durable, signed, verified), against BullMQ with Redis',
  missing: async () =>
    (await hasRedis()) ? undefined : 'redis-server is not installed (apt-get install redis-server)',
  async run(report) {
    await using fleet = await Fleet.start({ agents: 1 });
    await fleet.untilMeasured();
    await using bull = await Bull.start();
    const shoal = shoalSubmitter(fleet.url);
    const p50 = await interleave(rounds, {
      shoal: () => p50Ms(shoal),
      bullmq: () => p50Ms(bull.submit),
    });
    report.noise('BullMQ p50', p50.bullmq);
    const rate = await interleave(rounds, {
      shoal: () => ratePerSecond(shoal),
      bullmq: () => ratePerSecond(bull.submit),
    });
    report.noise('BullMQ rate', rate.bullmq);
    describe(report, p50, rate);
    return [
      ratioFigure('no-op, one at a time, p50', 'ms', median(p50.shoal), median(p50.bullmq), { atMost: 1 }),
      ratioFigure(`no-ops, ${inFlight} in flight`, 'tasks/s', median(rate.shoal), median(rate.bullmq), { atLeast: 1 }),
    ];
  },
};

function describe(report: Report, p50: Record<string, number[]>, rate: Record<string, number[]>): void {
  for (const [name, samples] of Object.entries(p50))
    report.line(`${name} p50 ms by round: ${samples.map((ms) => ms.toFixed(3)).join(' ')}`);
  for (const [name, samples] of Object.entries(rate))
    report.line(`${name} tasks/s by round: ${samples.map((n) => n.toFixed(0)).join(' ')}`);
}

async function p50Ms(submit: Submit): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < oneByOne; i++) {
    const startMs = performance.now();
    await submit();
    samples.push(performance.now() - startMs);
  }
  return median(samples);
}

async function ratePerSecond(submit: Submit): Promise<number> {
  const startMs = performance.now();
  let left = manyJobs;
  const lane = async () => {
    while (left-- > 0) await submit();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (manyJobs / (performance.now() - startMs)) * 1000;
}

function shoalSubmitter(url: string): Submit {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const body = JSON.stringify({ pipeline: 'noop' });
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  return () =>
    new Promise((resolve, reject) => {
      const call = request(`${url}/v1/tasks?wait=30000`, { method: 'POST', agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          if (response.statusCode === 200 && text.includes('"succeeded"')) resolve();
          else reject(new Error(`${response.statusCode}: ${text}`));
        });
      });
      call.on('error', reject);
      call.end(body);
    });
}

/** BullMQ on a Redis of its own that flushes to disk each second, as it comes; the worker is a process of its own. */
class Bull implements AsyncDisposable {
  readonly submit: Submit;
  readonly #end: () => Promise<void>;

  private constructor(submit: Submit, end: () => Promise<void>) {
    this.submit = submit;
    this.#end = end;
  }

  static async start(): Promise<Bull> {
    const port = await freePort();
    const redis = spawn(
      'redis-server',
      [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--appendonly',
        'yes',
        '--dir',
        '/tmp',
        '--save',
        '',
        '--appenddirname',
        `shoal-bench-${port}`,
      ],
      { stdio: 'ignore' },
    );
    const worker = new Child(process.execPath, [
      join(import.meta.dirname, '../processes/bullmq-worker.mjs'),
      String(port),
      String(inFlight),
    ]);
    await worker.line(/ready/);
    const connect = () => new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null });
    const connections = [connect(), connect()] as const;
    const queue = new Queue('noop', { connection: connections[0] });
    const events = new QueueEvents('noop', { connection: connections[1] });
    await events.waitUntilReady();
    // Every waiting job listens for its end.
    queue.setMaxListeners(0);
    events.setMaxListeners(0);
    const submit = async () => {
      const job = await queue.add('noop', { pipeline: 'noop' }, { removeOnComplete: 1000 });
      await job.waitUntilFinished(events);
    };
    return new Bull(submit, async () => {
      await events.close();
      await queue.close();
      await worker.stop();
      for (const connection of connections) connection.disconnect();
      const gone = once(redis, 'exit');
      redis.kill('SIGTERM');
      await gone;
      const { rm } = await import('node:fs/promises');
      await rm(`/tmp/shoal-bench-${port}`, { recursive: true, force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

async function hasRedis(): Promise<boolean> {
  const probe = spawn('redis-server', ['--version'], { stdio: 'ignore' });
  return new Promise((resolve) => {
    probe.on('error', () => resolve(false));
    probe.on('exit', (code) => resolve(code === 0));
  });
}
