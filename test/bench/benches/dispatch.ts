import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { newIdentity, seededRandom } from '@shoal/protocol';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { Child } from '../../support/child.ts';
import { Fleet } from '../../support/fleet.ts';
import { freePort } from '../../support/free-port.ts';
import { type Bench, interleave, median, type Report, ratioFigure } from '../harness.ts';
import { HttpConnection } from '../http-connection.ts';

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
    await using bull = await Bull.start('everysec');
    await using durable = await Bull.start('always');
    const shoal = shoalSubmitter(fleet.url);
    using _ = { [Symbol.dispose]: () => shoal.end() };
    const submits = { shoal: shoal.submit, bullmq: bull.submit, 'bullmq, durable': durable.submit };
    const p50 = await interleave(
      rounds,
      mapValues(submits, (submit) => () => p50Ms(submit)),
    );
    report.noise('BullMQ p50', p50.bullmq);
    const rate = await interleave(
      rounds,
      mapValues(submits, (submit) => () => ratePerSecond(submit)),
    );
    report.noise('BullMQ rate', rate.bullmq);
    for (const [name, samples] of Object.entries(p50))
      report.line(`${name} p50 ms by round: ${samples.map((ms) => ms.toFixed(3)).join(' ')}`);
    for (const [name, samples] of Object.entries(rate))
      report.line(`${name} tasks/s by round: ${samples.map((perSecond) => perSecond.toFixed(0)).join(' ')}`);
    describeSignatures(report);
    return (['bullmq', 'bullmq, durable'] as const).flatMap((peer) => [
      ratioFigure(`one at a time, p50, over ${peer}`, 'ms', median(p50.shoal), median(p50[peer]), { atMost: 1 }),
      ratioFigure(`${inFlight} in flight, over ${peer}`, 'tasks/s', median(rate.shoal), median(rate[peer]), {
        atLeast: 1,
      }),
    ]);
  },
};

function mapValues<Name extends string, From, To>(record: Record<Name, From>, change: (value: From) => To) {
  const entries = Object.entries<From>(record).map(([name, value]) => [name, change(value)]);
  return Object.fromEntries(entries) as Record<Name, To>;
}

/** What BullMQ, which signs nothing, does not do. */
function describeSignatures(report: Report): void {
  const { signMs, verifyMs } = signatureMs();
  const each = `${signMs.toFixed(3)} ms each) and 3 verifications (${verifyMs.toFixed(3)} ms each)`;
  report.line(`a no-op alone is signed 3 times (${each}: ${(3 * (signMs + verifyMs)).toFixed(3)} ms`);
}

/** What one signature costs here, and its verification: medians, ms. */
function signatureMs(): { signMs: number; verifyMs: number } {
  const identity = newIdentity('device', seededRandom(1));
  const text = Buffer.alloc(1_000, 1);
  const signature = identity.sign(text);
  const medianOf = (action: () => unknown) =>
    median(
      Array.from({ length: 500 }, () => {
        const startMs = performance.now();
        action();
        return performance.now() - startMs;
      }),
    );
  return { signMs: medianOf(() => identity.sign(text)), verifyMs: medianOf(() => identity.verify(text, signature)) };
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

/**
 * One connection for each task in flight, and no more HTTP than it takes: `node:http`'s client alone takes 0.2 ms for a call, which would be measured as Shoal's.
 * BullMQ's client speaks Redis's own protocol.
 */
function shoalSubmitter(url: string): { submit: Submit; end(): void } {
  const { hostname, port, host } = new URL(url);
  const body = JSON.stringify({ pipeline: 'noop' });
  const head = [
    'POST /v1/tasks?wait=30000 HTTP/1.1',
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  const request = `${head.join('\r\n')}\r\n\r\n${body}`;
  const idle: HttpConnection[] = [];
  const all: HttpConnection[] = [];
  return {
    async submit() {
      let connection = idle.pop();
      if (!connection) {
        connection = new HttpConnection(hostname, Number(port));
        all.push(connection);
      }
      const response = await connection.ask(request);
      if (!response.startsWith('HTTP/1.1 200 ') || !response.includes('"succeeded"')) throw new Error(response);
      idle.push(connection);
    },
    end() {
      for (const connection of all) connection.end();
    },
  };
}

/** BullMQ on a Redis of its own, as it comes or as durable as Shoal is; the worker is a process of its own. */
class Bull implements AsyncDisposable {
  readonly submit: Submit;
  readonly #end: () => Promise<void>;

  private constructor(submit: Submit, end: () => Promise<void>) {
    this.submit = submit;
    this.#end = end;
  }

  /** @param flush when Redis flushes to the disk: each second, as it comes, or before it answers. */
  static async start(flush: 'everysec' | 'always'): Promise<Bull> {
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
        '--appendfsync',
        flush,
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
