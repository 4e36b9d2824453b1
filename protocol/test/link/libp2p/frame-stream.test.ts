import { ShoalError } from '@shoal/protocol';
import type { FrameStream } from '@shoal/protocol/libp2p';
import { VirtualClock } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { aDevice, coordinator, loopback, Nodes, targetOf } from './nodes.ts';

const nodes = new Nodes();
afterEach(() => nodes.stop());

const frame = new Uint8Array(1 << 20);

/** A device that sends and a coordinator that does not read; the clock is the device's. */
async function stalled(): Promise<{
  clock: VirtualClock;
  stream: FrameStream;
  reader: FrameStream;
  read: () => number;
}> {
  const clock = new VirtualClock();
  const server = await nodes.start(coordinator, { listen: loopback });
  let frames = 0;
  const opened = new Promise<FrameStream>((resolve) =>
    server.handle('/test/1', (reader) => {
      reader.listen({ onFrame: () => (frames += 1), onEnd: () => {} });
      reader.pause();
      resolve(reader);
    }),
  );
  const device = await nodes.start(aDevice(), { clock });
  const stream = await device.open('/test/1', targetOf(server));
  return { clock, stream, reader: await opened, read: () => frames };
}

/** Sends until one is not taken any more. */
async function fill(stream: FrameStream): Promise<Promise<void>[]> {
  const sent: Promise<void>[] = [];
  for (;;) {
    const sending = stream.send(frame);
    sent.push(sending);
    const full = await Promise.race([
      sending.then(
        () => false,
        () => true,
      ),
      new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
    ]);
    if (full) return sent;
  }
}

describe('a stream to a peer that does not read', () => {
  it('takes a bounded number of bytes, refuses more with queue.full, and delivers what it took once the peer reads', async () => {
    const { stream, reader, read } = await stalled();
    stream.listen({ onFrame: () => {}, onEnd: () => {} });
    const sent = await fill(stream);
    await expect(sent.pop()).rejects.toMatchObject({ code: 'queue.full' });
    expect(sent.length).toBeLessThanOrEqual(16);
    reader.resume();
    await Promise.all(sent);
    while (read() < sent.length) await new Promise((resolve) => setImmediate(resolve));
  });

  it('is cut when a frame was not read in time', async () => {
    const { clock, stream } = await stalled();
    const ended = new Promise<ShoalError>((resolve) => stream.listen({ onFrame: () => {}, onEnd: resolve }));
    const sent = await fill(stream);
    const outcomes = Promise.allSettled(sent);
    await clock.advance(59_000);
    expect(stream.isOpen).toBe(true);
    await clock.advance(1_000);
    expect(await ended).toMatchObject({ code: 'net.unreachable' });
    expect((await outcomes).at(-2)).toMatchObject({ status: 'rejected', reason: { code: 'net.unreachable' } });
  });

  it('forgets a wait that was aborted, and says why', async () => {
    const { stream } = await stalled();
    stream.listen({ onFrame: () => {}, onEnd: () => {} });
    const sent = await fill(stream);
    await sent.pop()?.catch(() => {});
    const wanted = new AbortController();
    const small = stream.send(Uint8Array.of(1), wanted.signal);
    wanted.abort(new Error('no longer wanted'));
    await expect(small).rejects.toThrow('no longer wanted');
    stream.abort(new ShoalError('closed', 'the test is over'));
    await Promise.allSettled(sent);
  });
});
