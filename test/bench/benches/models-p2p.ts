import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, sha256Hex } from '@shoal/protocol';
import type { BlockFile } from '@shoal/protocol/blocks';
import { Child } from '../../support/child.ts';
import { absoluteFigure, type Bench, interleave, median, type Report, ratioFigure } from '../harness.ts';

const agents = 10;
const rounds = 5;
const sizeBytes = 16 * 2 ** 20;
const processes = join(import.meta.dirname, '../processes');

export const modelsP2p: Bench = {
  name: 'models-p2p',
  title: 'a model that ten agents fetch from one seed over libp2p, and from each other, against bare streams',
  async run(report) {
    const directory = await mkdtemp(join(tmpdir(), 'shoal-models-p2p-'));
    await using swarm = await BlockSwarm.start(directory);
    await using bare = await BareStreams.start();
    const copies: number[] = [];
    const speeds = await interleave(rounds, {
      bareOne: async () => perSecond(sizeBytes, await bare.fetchMs(1)),
      one: async () => perSecond(sizeBytes, await swarm.fetchMs(1)),
      bareTen: async () => perSecond(agents * sizeBytes, await bare.fetchMs(agents)),
      ten: async () => {
        const speed = perSecond(agents * sizeBytes, await swarm.fetchMs(agents));
        copies.push(swarm.copies);
        return speed;
      },
    });
    await rm(directory, { recursive: true, force: true });
    return figures(report, speeds, copies);
  },
};

type Contestant = 'bareOne' | 'one' | 'bareTen' | 'ten';

function figures(report: Report, speeds: Record<Contestant, readonly number[]>, copies: readonly number[]) {
  report.noise('a bare stream', speeds.bareOne);
  report.noise('ten bare streams', speeds.bareTen);
  // One stream keeps two processes busy, ten keep as many as there are cores: each is compared with as many of its kind.
  report.line(
    `${sizeBytes / 2 ** 20} MiB, each agent and each end of a stream a process: one bare stream carries ${median(speeds.bareOne).toFixed(0)} MB/s, ten from one process at once ${median(speeds.bareTen).toFixed(0)} MB/s together; of ten agents at once each has ${(median(speeds.ten) / agents).toFixed(1)} MB/s, on the same cores`,
  );
  report.line(`copies that the origin sent, round by round: ${copies.map((count) => count.toFixed(2)).join(', ')}`);
  return [
    absoluteFigure('copies that the origin sends to ten', 'copies', Math.max(...copies), { atMost: 2 }),
    ratioFigure('one agent from one seed', 'MB/s', median(speeds.one), median(speeds.bareOne), { atLeast: 0.5 }),
    ratioFigure('ten agents, all they get together', 'MB/s', median(speeds.ten), median(speeds.bareTen), {
      atLeast: 0.5,
    }),
  ];
}

const perSecond = (bytes: number, ms: number) => bytes / 1_000 / ms;

/** A seed and ten agents, each in a process of its own. */
class BlockSwarm {
  readonly #members: readonly Child[];
  readonly #file: BlockFile;
  copies = 0;

  constructor(members: readonly Child[], file: BlockFile) {
    this.#members = members;
    this.#file = file;
  }

  static async start(directory: string): Promise<BlockSwarm> {
    const bytes = seededRandom(1).bytes(sizeBytes);
    const file = { sha256: sha256Hex(bytes), sizeBytes };
    const folder = join(directory, '0', 'files', file.sha256.slice(0, 2));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, file.sha256), bytes);
    const script = join(processes, 'block-agent.mjs');
    const members = Array.from({ length: agents + 1 }, (_, number) => {
      return new Child(process.execPath, [script, join(directory, String(number)), `agent ${number}`]);
    });
    const others = await Promise.all(members.map((member) => answerOf<{ key: string; addresses: string[] }>(member)));
    for (const [number, member] of members.entries())
      await ask(member, { kind: 'meet', others: others.slice(0, number) });
    return new BlockSwarm(members, file);
  }

  /** Until the last of so many agents has the file, ms. */
  async fetchMs(count: number): Promise<number> {
    const [seed, ...rest] = this.#members;
    if (!seed) throw new Error('there is no seed');
    const file = this.#file;
    const before = (await ask<{ copies: number }>(seed, { kind: 'copies', file })).copies;
    const startedMs = performance.now();
    await Promise.all(rest.slice(0, count).map((agent) => ask(agent, { kind: 'fetch', file })));
    const ms = performance.now() - startedMs;
    this.copies = (await ask<{ copies: number }>(seed, { kind: 'copies', file })).copies - before;
    for (const agent of rest.slice(0, count)) await ask(agent, { kind: 'forget', file });
    return ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
  }
}

/** One process that sends, and ten that are sent the same bytes, all of which know nothing but libp2p. */
class BareStreams {
  readonly #seed: Child;
  readonly #fetchers: readonly Child[];

  constructor(seed: Child, fetchers: readonly Child[]) {
    this.#seed = seed;
    this.#fetchers = fetchers;
  }

  static async start(): Promise<BareStreams> {
    const script = join(processes, 'bare-libp2p.mjs');
    const seed = new Child(process.execPath, [script, 'seed', String(sizeBytes)]);
    const { address } = await answerOf<{ address: string }>(seed);
    const fetchers = Array.from({ length: agents }, () => new Child(process.execPath, [script, 'fetch', address]));
    await Promise.all(fetchers.map((fetcher) => answerOf(fetcher)));
    return new BareStreams(seed, fetchers);
  }

  /** Until the last of so many has all of it, ms. */
  async fetchMs(count: number): Promise<number> {
    const startedMs = performance.now();
    const fetched = this.#fetchers.slice(0, count).map((fetcher) => ask<{ bytes: number }>(fetcher, { kind: 'fetch' }));
    for (const { bytes } of await Promise.all(fetched)) {
      if (bytes !== sizeBytes) throw new Error(`a bare stream carried ${bytes} bytes of ${sizeBytes}`);
    }
    return performance.now() - startedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#seed, ...this.#fetchers].map((child) => child.stop()));
  }
}

function ask<Reply>(
  member: Child,
  message: { readonly kind: string; readonly [fact: string]: unknown },
): Promise<Reply> {
  const answer = answerOf<Reply>(member);
  member.process.send(message);
  return answer;
}

async function answerOf<Reply>(child: Child): Promise<Reply> {
  const done = new AbortController();
  const { signal } = done;
  const ended = once(child.process, 'exit', { signal }).then(() => Promise.reject(new Error(child.output)));
  const answer = Promise.race([once(child.process, 'message', { signal }), ended]).finally(() => done.abort());
  const [reply] = (await answer) as [Reply & { error?: string }];
  if (reply.error !== undefined) throw new Error(reply.error);
  return reply;
}
