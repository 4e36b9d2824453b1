import type { BlockExchange, BlockFile } from '@shoal/protocol/blocks';
import { beforeEach, describe, expect, it } from 'vitest';
import { lyingHolder } from './lying-holder.ts';
import { type Member, patient, Swarm, someFile } from './swarm.ts';

const { signal } = new AbortController();
const pieceBytes = 64 * 1024;

let swarm: Swarm;
let seed: Member;
let file: BlockFile;

beforeEach(() => {
  swarm = new Swarm();
  seed = swarm.member('seed');
  file = seed.store.hold(someFile(20 * pieceBytes + 5));
});

async function agents(count: number): Promise<{ member: Member; exchange: BlockExchange }[]> {
  const members = Array.from({ length: count }, (_, number) => swarm.member(`agent${number}`));
  return Promise.all(members.map(async (member) => ({ member, exchange: await member.exchange() })));
}

function hasIt({ store }: Member): boolean {
  const held = store.files.get(file.sha256);
  return held !== undefined && Buffer.from(held).equals(seed.store.files.get(file.sha256) ?? new Uint8Array());
}

const warnings = ({ logged }: Member) =>
  logged.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.['peer']);

describe('an agent that fetches a file', () => {
  it('gets it piece by piece, and nothing of it stays half made', async () => {
    const origin = await seed.exchange();
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(agent && hasIt(agent.member)).toBe(true);
    expect(agent?.member.store.parts.size).toBe(0);
    expect(origin.copiesSent(file.sha256)).toBe(1);
  });

  it.each([1, pieceBytes - 1, pieceBytes, pieceBytes + 1])('gets one of %i bytes', async (sizeBytes) => {
    file = seed.store.hold(someFile(sizeBytes));
    await seed.exchange();
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(agent && hasIt(agent.member)).toBe(true);
  });

  it('says how far it is', async () => {
    await seed.exchange();
    const [agent] = await agents(1);
    const seen: number[] = [];
    const fetched = agent?.exchange.fetch(file, {
      signal,
      onProgress: ({ receivedBytes }) => seen.push(receivedBytes),
    });
    await swarm.until([fetched ?? Promise.reject()]);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(file.sizeBytes);
  });

  it('does not wait long for one that is far away and quick', async () => {
    swarm = new Swarm({ latencyMs: 50 });
    seed = swarm.member('far', { bytesPerMs: 50_000 });
    file = seed.store.hold(someFile(60 * pieceBytes));
    await seed.exchange();
    const [agent] = await agents(1);
    await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()]);
    // With eight pieces ahead all the time it would be more than a second.
    expect(swarm.clock.monotonicMs()).toBeLessThan(1_000);
  });

  it('takes it from several that have it, each a part', async () => {
    const others = [swarm.member('second'), swarm.member('third')];
    for (const other of others) other.store.hold(seed.store.files.get(file.sha256) ?? new Uint8Array());
    const holders = await Promise.all([seed, ...others].map((member) => member.exchange()));
    const [agent] = await agents(1);
    await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()]);
    const copies = holders.map((holder) => holder.copiesSent(file.sha256));
    expect(copies.reduce((sum, one) => sum + one)).toBeCloseTo(1, 1);
    expect(Math.min(...copies)).toBeGreaterThan(0.2);
  });

  it('ends soon and without a trace when nobody has it', async () => {
    const [one, other] = await agents(2);
    const unknown = { sha256: 'ab'.repeat(32), sizeBytes: 100 };
    const fetches = [one, other].map((agent) => agent?.exchange.fetch(unknown, { signal }) ?? Promise.reject());
    expect(await swarm.until(fetches, 15_000)).toEqual(['not-found', 'not-found']);
  });

  it('ends with the reason of its signal, and goes on where it was the next time', async () => {
    const slowSeed = swarm.member('slow', { bytesPerMs: 100 });
    slowSeed.store.hold(seed.store.files.get(file.sha256) ?? new Uint8Array());
    const origin = await slowSeed.exchange();
    const [agent] = await agents(1);
    const aborted = new AbortController();
    const first = agent?.exchange.fetch(file, { signal: aborted.signal }) ?? Promise.reject();
    const outcome = swarm.until([first]);
    swarm.clock.after('abort', 7_000, () => aborted.abort());
    expect(await outcome).toEqual(['aborted']);
    const sentBefore = origin.copiesSent(file.sha256);
    expect(sentBefore).toBeGreaterThan(0.3);
    // As after a restart: another exchange over the same disk.
    await agent?.exchange.stop();
    const again = await agent?.member.exchange();
    expect(await swarm.until([again?.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(agent && hasIt(agent.member)).toBe(true);
    expect(origin.copiesSent(file.sha256)).toBeLessThan(1.5);
  });

  it('keeps of what an earlier attempt left only what fits', async () => {
    const origin = await seed.exchange();
    const [agent] = await agents(1);
    const left = seed.store.files.get(file.sha256)?.slice() ?? new Uint8Array();
    left.fill(0, 3 * pieceBytes, 3 * pieceBytes + 1);
    left.fill(1, 7 * pieceBytes, 7 * pieceBytes + 16);
    agent?.member.store.parts.set(file.sha256, left);
    await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()]);
    expect(agent && hasIt(agent.member)).toBe(true);
    expect(origin.copiesSent(file.sha256)).toBeCloseTo(2 / 21, 5);
  });
});

describe('ten agents that fetch from one seed at once', () => {
  it('need little more than one copy of it, and the seed sends no piece to all', async () => {
    const origin = await seed.exchange();
    const ten = await agents(10);
    const ends = await swarm.until(ten.map(({ exchange }) => exchange.fetch(file, { signal })));
    expect(ends).toEqual(ten.map(() => 'done'));
    expect(ten.every(({ member }) => hasIt(member))).toBe(true);
    expect(origin.copiesSent(file.sha256)).toBeLessThan(1.5);
    expect(seed.bytesSent).toBeLessThan(1.6 * file.sizeBytes);
  });

  it('tell each other of what has come now and then, and not of each piece', async () => {
    file = seed.store.hold(someFile(60 * pieceBytes, 3));
    await seed.exchange();
    const ten = await agents(10);
    await swarm.until(ten.map(({ exchange }) => exchange.fetch(file, { signal })));
    // Each piece to each of the others would be 540, without those that carry pieces and orders.
    expect(Math.max(...ten.map(({ member }) => member.framesSent))).toBeLessThan(400);
  });

  it('finish when the seed leaves after one copy, and fail together when it leaves before', async () => {
    seed = swarm.member('weak', { bytesPerMs: 200 });
    file = seed.store.hold(someFile(20 * pieceBytes, 9));
    const origin = await seed.exchange();
    const five = await agents(5);
    const outcome = swarm.until(five.map(({ exchange }) => exchange.fetch(file, { signal })));
    const leave = () => {
      if (origin.copiesSent(file.sha256) >= 1) swarm.cut(seed);
      else swarm.clock.after('look', 5, leave);
    };
    leave();
    const ends = await outcome;
    // What was on its way when the seed was cut is lost: nobody can have it.
    expect(new Set(ends).size).toBe(1);
    expect(['done', 'not-found']).toContain(ends[0]);
  });

  it('do not need the one that went away in the middle', async () => {
    await seed.exchange();
    const [quitter, ...rest] = await agents(4);
    const outcome = swarm.until(rest.map(({ exchange }) => exchange.fetch(file, { signal })));
    const quitting = quitter?.exchange.fetch(file, { signal }).catch(() => {});
    swarm.clock.after('quit', 40, () => quitter && swarm.cut(quitter.member));
    expect(await outcome).toEqual(rest.map(() => 'done'));
    await quitter?.exchange.stop();
    await quitting;
  });
});

describe('an agent that is lied to', () => {
  it('takes no wrong piece, leaves who sent it, and has the file from others', async () => {
    await seed.exchange();
    const liar = swarm.member('liar');
    lyingHolder(liar, seed.store.files.get(file.sha256) ?? new Uint8Array(), 'wrong-pieces');
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(agent && hasIt(agent.member)).toBe(true);
    expect(agent && warnings(agent.member)).toEqual([liar.id]);
  });

  it('finds out by the SHA-256 that a whole file is another one, and has the right one from who did not lie', async () => {
    const liars = ['one', 'two'].map((name) => swarm.member(name));
    for (const liar of liars) lyingHolder(liar, someFile(file.sizeBytes, 99), 'another-file');
    await seed.exchange();
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(agent && hasIt(agent.member)).toBe(true);
    expect(agent && warnings(agent.member).toSorted()).toEqual(liars.map(({ id }) => id).toSorted());
  });

  it('uses nothing of a file that nobody has but a liar', async () => {
    const liar = swarm.member('liar');
    lyingHolder(liar, someFile(1_000_000, 99), 'another-file');
    const [agent] = await agents(1);
    const wanted = { sha256: file.sha256, sizeBytes: 1_000_000 };
    expect(await swarm.until([agent?.exchange.fetch(wanted, { signal }) ?? Promise.reject()])).toEqual(['not-found']);
    expect(agent?.member.store.files.size).toBe(0);
  });

  it('takes up what fits when the only ones with its list of pieces have gone', async () => {
    swarm.cut(seed);
    const liar = swarm.member('liar');
    // Like the file but for its last piece, of which it sends a wrong one.
    const nearly = seed.store.files.get(file.sha256)?.slice() ?? new Uint8Array();
    nearly.fill(1, nearly.length - 1);
    lyingHolder(liar, nearly, 'another-file');
    const [agent] = await agents(1);
    const fetched = swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()]);
    const origin = await new Promise<BlockExchange>((resolve) => {
      swarm.clock.after('one with the file comes', 500, () => {
        const late = swarm.member('late');
        late.store.hold(seed.store.files.get(file.sha256) ?? new Uint8Array());
        resolve(late.exchange());
      });
    });
    expect(await fetched).toEqual(['done']);
    expect(agent && hasIt(agent.member)).toBe(true);
    expect(origin.copiesSent(file.sha256)).toBeLessThan(0.2);
  });

  it('leaves one whose list is not the one that it named', async () => {
    swarm.cut(seed);
    const liar = swarm.member('liar');
    lyingHolder(liar, seed.store.files.get(file.sha256) ?? new Uint8Array(), 'false-list');
    const honest = swarm.member('honest');
    honest.store.hold(seed.store.files.get(file.sha256) ?? new Uint8Array());
    await honest.exchange();
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(agent && warnings(agent.member)).toEqual([liar.id]);
  });

  it.each(['unasked-list', 'unasked-pieces', 'nonsense', 'too-many-pieces'] as const)(
    'leaves one who sends %s',
    async (lie) => {
      await seed.exchange();
      const liar = swarm.member('liar');
      lyingHolder(liar, seed.store.files.get(file.sha256) ?? new Uint8Array(), lie);
      const [agent] = await agents(1);
      expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
      expect(agent && hasIt(agent.member)).toBe(true);
      expect(agent && warnings(agent.member)).toEqual([liar.id]);
    },
  );

  it('does not wait for one who promises and never sends', async () => {
    await seed.exchange();
    const liar = swarm.member('liar');
    lyingHolder(liar, seed.store.files.get(file.sha256) ?? new Uint8Array(), 'silence');
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['done']);
    expect(swarm.clock.monotonicMs()).toBeLessThan(patient.silentMs);
  });

  it('does not ask the same one again', async () => {
    await seed.exchange();
    const liar = swarm.member('liar');
    const asked = lyingHolder(liar, seed.store.files.get(file.sha256) ?? new Uint8Array(), 'nonsense');
    const [agent] = await agents(1);
    await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()]);
    const second = seed.store.hold(someFile(500_000, 5));
    await swarm.until([agent?.exchange.fetch(second, { signal }) ?? Promise.reject()]);
    expect(asked.times).toBe(1);
  });
});

describe('a holder', () => {
  it('sends no more in a second than it may, and all askers the same', async () => {
    await seed.exchange({ uploads: { bytesPerSecond: 200_000, atOnce: 2 } });
    const three = await agents(3);
    const got = three.map(() => 0);
    const fetches = three.map(({ exchange }, number) =>
      exchange
        .fetch(file, { signal, onProgress: ({ receivedBytes }) => (got[number] = receivedBytes) })
        .catch(() => {}),
    );
    await swarm.clock.advance(4_000);
    expect(seed.bytesSent).toBeLessThan(4 * 200_000 + 150_000);
    expect(seed.bytesSent).toBeGreaterThan(3 * 200_000);
    await Promise.all(three.map(({ exchange }) => exchange.stop()));
    await Promise.all(fetches);
  });

  it('does not give a file that is not what it is called', async () => {
    seed.store.files.get(file.sha256)?.fill(1, 0, 1);
    await seed.exchange();
    const [agent] = await agents(1);
    expect(await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()])).toEqual(['not-found']);
    expect(agent && warnings(agent.member)).toEqual([]);
  });

  it('turns away whom it has no place for, and they come again', async () => {
    await seed.exchange({ mostUploads: 2 });
    const five = await agents(5);
    const ends = await swarm.until(five.map(({ exchange }) => exchange.fetch(file, { signal })));
    expect(ends).toEqual(five.map(() => 'done'));
  });

  it('leaves nothing behind when it is stopped', async () => {
    const origin = await seed.exchange();
    const [agent] = await agents(1);
    await swarm.until([agent?.exchange.fetch(file, { signal }) ?? Promise.reject()]);
    await Promise.all([origin.stop(), agent?.exchange.stop()]);
    await swarm.clock.advance(100);
    expect(swarm.clock.pending()).toEqual([]);
  });
});
