import { MemoryAgentStore, Outbox, type OutboxOptions } from '@shoal/agent';
import { type PayloadInit, ShoalError, seededRandom, silentLogger, utf8 } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';

/** A coordinator's end: takes results while it is there, and can be cut off, slow or unwilling. */
class Receiver {
  readonly received: { readonly work: string; readonly resultBytes: number }[] = [];
  reachable = true;
  inFlight = 0;
  mostInFlight = 0;
  answer: (work: string) => ShoalError | undefined = () => undefined;
  readonly #waiting: (() => void)[] = [];

  courier = async (message: PayloadInit): Promise<void> => {
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await Promise.resolve();
      while (!this.reachable) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const { work, resultBytes } = seen(message);
      const error = this.answer(work);
      if (error) throw error;
      this.received.push({ work, resultBytes });
    } finally {
      this.inFlight -= 1;
    }
  };

  comeBack(): void {
    this.reachable = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  get works(): string[] {
    return this.received.map(({ work }) => work);
  }
}

function seen(message: PayloadInit): { work: string; resultBytes: number } {
  if ('taskOutcome' in message) {
    const { attemptId, result } = message.taskOutcome;
    return { work: attemptId ?? '', resultBytes: result?.length ?? 0 };
  }
  if (!('cameraReport' in message)) throw new Error('neither an outcome nor a report');
  return { work: `${message.cameraReport.number}`, resultBytes: message.cameraReport.result?.length ?? 0 };
}

const report = (number: number, resultBytes = 1000) => ({
  kind: 'camera-report' as const,
  message: { cameraId: 'cam', number, result: new Uint8Array(resultBytes), attestation: utf8('signed') },
});

const outcome = (attemptId: string) => ({
  kind: 'task-outcome' as const,
  message: { taskId: 't', attemptId, result: utf8('{}'), attestation: utf8('signed') },
});

async function anOutbox(options: Partial<OutboxOptions> = {}, store = new MemoryAgentStore()) {
  const clock = new VirtualClock();
  const make = async () => {
    const receiver = new Receiver();
    const outbox = new Outbox(
      { courier: receiver.courier, store: store.outbox, clock, random: seededRandom(1), logger: silentLogger },
      options,
    );
    await outbox.start(new AbortController().signal);
    return { outbox, receiver };
  };
  return { clock, store, make, ...(await make()) };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);

describe('the outbox', () => {
  it('delivers at once and writes nothing while the coordinator answers', async () => {
    const { clock, receiver, store, outbox } = await anOutbox();
    for (let number = 1; number <= 1000; number++) outbox.add(report(number));
    await clock.advance(10);
    expect(receiver.works).toEqual(numbers(1, 1000));
    expect(receiver.mostInFlight).toBe(256);
    await clock.advance(1000);
    expect(store.outbox.lastId()).toBe(0);
    expect(outbox.counts).toMatchObject({ waiting: 0, sizeBytes: 0, delivered: 1000 });
  });

  it('writes down what is not acknowledged within its time, and delivers it in order when the coordinator is back', async () => {
    const { clock, receiver, store, outbox } = await anOutbox({ window: 4 });
    receiver.reachable = false;
    for (let number = 1; number <= 20; number++) outbox.add(report(number));
    await clock.advance(49);
    expect(store.outbox.totals().count).toBe(0);
    await clock.advance(1);
    expect(store.outbox.totals().count).toBe(20);
    for (let number = 21; number <= 30; number++) outbox.add(report(number));
    receiver.comeBack();
    await clock.advance(10);
    expect(receiver.works).toEqual(numbers(1, 30));
    await clock.advance(100);
    expect(store.outbox.totals()).toEqual({ count: 0, sizeBytes: 0 });
    expect(outbox.counts.waiting).toBe(0);
  });

  it('goes on where it was after a crash: what was written down comes, once and in order, before what is new', async () => {
    const { clock, receiver, make, outbox } = await anOutbox({ window: 4 });
    receiver.reachable = false;
    for (let number = 1; number <= 20; number++) outbox.add(report(number));
    await clock.advance(50);
    // The process is gone: nothing of the old outbox runs any more, only the store is left.
    const after = await make();
    for (let number = 21; number <= 25; number++) after.outbox.add(report(number));
    await clock.advance(1000);
    expect(after.receiver.works).toEqual(numbers(1, 25));
    expect(after.outbox.counts.waiting).toBe(0);
  });

  it('writes down everything when it is stopped in the middle, and the next one delivers it', async () => {
    const { clock, receiver, store, make, outbox } = await anOutbox({ window: 4, flushMs: 200 });
    receiver.reachable = false;
    for (let number = 1; number <= 10; number++) outbox.add(report(number));
    await clock.until(outbox.drain(new AbortController().signal));
    await outbox.stop();
    expect(store.outbox.totals().count).toBe(10);
    expect(() => outbox.add(report(11))).toThrow('stopped');
    const after = await make();
    await clock.advance(1000);
    expect(after.receiver.works).toEqual(numbers(1, 10));
    expect(after.outbox.counts.waiting).toBe(0);
  });

  it('drains as soon as the last result is acknowledged', async () => {
    const { clock, receiver, outbox } = await anOutbox();
    receiver.reachable = false;
    outbox.add(outcome('a'));
    clock.after('back', 300, () => receiver.comeBack());
    await clock.until(outbox.drain(new AbortController().signal));
    expect(clock.monotonicMs()).toBe(300);
  });

  it('gives up the content of the oldest reports when it is full, never a statement, never the outcome of a task', async () => {
    const { clock, receiver, outbox } = await anOutbox({ window: 2, mostBytes: 40_000 });
    receiver.reachable = false;
    outbox.add(outcome('task'));
    for (let number = 1; number <= 60; number++) {
      outbox.add(report(number));
      await clock.advance(50);
      expect(outbox.counts.sizeBytes).toBeLessThanOrEqual(40_000);
    }
    expect(outbox.counts.shed).toBeGreaterThan(20);
    receiver.comeBack();
    await clock.advance(1000);
    expect(receiver.works).toEqual(['task', ...numbers(1, 60)]);
    expect(receiver.received[0]?.resultBytes).toBe(2);
    const withContent = receiver.received.slice(1).map(({ resultBytes }) => resultBytes > 0);
    // The newest are whole. (The very first two were on their way already, and came as they had left.)
    expect(withContent.slice(2)).toEqual(withContent.slice(2).toSorted((a, b) => Number(a) - Number(b)));
    expect(withContent.at(-1)).toBe(true);
  });

  it('takes nothing more when not even a statement has room, and says so', async () => {
    const { receiver, outbox } = await anOutbox({ mostResults: 5, window: 2 });
    receiver.reachable = false;
    for (let number = 1; number <= 5; number++) outbox.add(report(number));
    expect(() => outbox.add(report(6))).toThrow(expect.objectContaining({ code: 'queue.full' }));
  });

  it('drops what the coordinator refuses for good, counts it, and goes on with the rest', async () => {
    const { clock, receiver, outbox } = await anOutbox();
    receiver.answer = (work) => (work === '2' ? new ShoalError('not-found', 'no such camera') : undefined);
    for (let number = 1; number <= 3; number++) outbox.add(report(number));
    await clock.advance(100);
    expect(receiver.works).toEqual(['1', '3']);
    expect(outbox.counts).toMatchObject({ waiting: 0, refused: 1, delivered: 2 });
  });

  it.each(['device.unknown', 'queue.full', 'timeout', 'net.unreachable'] as const)(
    'keeps on offering a result that meets %s',
    async (code) => {
      const { clock, receiver, outbox } = await anOutbox();
      receiver.answer = () => new ShoalError(code, 'not now', { fromPeer: true });
      outbox.add(report(1));
      await clock.advance(600_000);
      expect(outbox.counts).toMatchObject({ waiting: 1, refused: 0 });
      receiver.answer = () => undefined;
      await clock.advance(60_000);
      expect(receiver.works).toEqual(['1']);
    },
  );

  it('offers nothing more once the coordinator has revoked the device, and keeps what waits', async () => {
    const { clock, store, receiver, outbox } = await anOutbox();
    const asked: string[] = [];
    receiver.answer = (work) => {
      asked.push(work);
      return new ShoalError(work === '1' ? 'timeout' : 'device.revoked', 'no', { fromPeer: true });
    };
    for (let number = 1; number <= 3; number++) outbox.add(report(number));
    await clock.advance(100);
    outbox.add(report(4));
    await clock.advance(600_000);
    expect(asked).toEqual(['1', '2', '3']);
    expect(outbox.counts).toMatchObject({ waiting: 4, refused: 0 });
    expect(store.outbox.totals().count).toBe(4);
  });

  it('waits for no acknowledgement from then on, also when it is being drained', async () => {
    const { clock, receiver, outbox } = await anOutbox();
    receiver.reachable = false;
    receiver.answer = () => new ShoalError('device.revoked', 'no', { fromPeer: true });
    outbox.add(report(1));
    clock.after('back', 300, () => receiver.comeBack());
    for (let drains = 0; drains < 2; drains++) await clock.until(outbox.drain(new AbortController().signal));
    expect(clock.monotonicMs()).toBe(300);
  });

  it('gives up on a result that the coordinator fails on every time', async () => {
    const { clock, receiver, outbox } = await anOutbox({ failures: 3 });
    let asked = 0;
    receiver.answer = () => {
      asked += 1;
      return new ShoalError('defect', 'cannot', { fromPeer: true });
    };
    outbox.add(report(1));
    await clock.advance(600_000);
    expect(asked).toBe(3);
    expect(outbox.counts).toMatchObject({ waiting: 0, refused: 1 });
  });

  it('keeps results in memory while the disk is full, and writes them down when there is room again', async () => {
    const store = new MemoryAgentStore();
    const append = store.outbox.append.bind(store.outbox);
    let full = true;
    store.outbox.append = async (entries) => {
      if (full) throw new ShoalError('io.disk-full', 'no space');
      await append(entries);
    };
    const { clock, receiver, outbox } = await anOutbox({}, store);
    receiver.reachable = false;
    outbox.add(report(1));
    await clock.advance(60_000);
    expect(outbox.counts.waiting).toBe(1);
    full = false;
    await clock.advance(60_000);
    expect(store.outbox.totals().count).toBe(1);
    receiver.comeBack();
    await clock.advance(10);
    expect(receiver.works).toEqual(['1']);
  });
});
