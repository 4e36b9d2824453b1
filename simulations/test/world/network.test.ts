import { VirtualClock } from '@shoal/protocol/testing';
import { linkQueueBytes, Network } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

function aNetwork() {
  const clock = new VirtualClock();
  return { clock, network: new Network(1, clock, { latencyMs: 2, jitterMs: 0, loss: 0, duplication: 0 }) };
}

describe('a slow link', () => {
  it('takes its time for each byte, and one frame after the other', () => {
    const { network } = aNetwork();
    network.limit('device', 10);
    expect(network.route('device', 'coordinator', 1_000)).toEqual([102]);
    expect(network.route('device', 'coordinator', 1_000)).toEqual([202]);
    // The other way is free, and so is another device.
    expect(network.route('coordinator', 'device', 500)).toEqual([52]);
    expect(network.route('other', 'coordinator', 1_000)).toEqual([2]);
  });

  it('has a queue of so many bytes: what has no room is lost, until some have left', async () => {
    const { clock, network } = aNetwork();
    network.limit('device', 10);
    const frame = linkQueueBytes / 4;
    const taken = Array.from({ length: 6 }, () => network.route('device', 'coordinator', frame).length);
    expect(taken).toEqual([1, 1, 1, 1, 0, 0]);
    expect(network.mostQueuedBytes).toBe(linkQueueBytes);
    await clock.advance(frame / 10);
    expect(network.route('device', 'coordinator', frame)).toHaveLength(1);
  });
});

describe('a fleet that is split', () => {
  it('speaks within its parts and not between them, until it is whole again', () => {
    const { network } = aNetwork();
    network.split(['a', 'b']);
    const heard = (from: string, to: string) => network.route(from, to, 1).length === 1;
    expect([heard('a', 'b'), heard('c', 'coordinator')]).toEqual([true, true]);
    expect([heard('a', 'coordinator'), heard('coordinator', 'b'), heard('c', 'a')]).toEqual([false, false, false]);
    network.join();
    expect(heard('a', 'coordinator')).toBe(true);
  });
});

describe('what happens on one way', () => {
  it('does not depend on what was said on another', () => {
    const lossy = { latencyMs: 2, jitterMs: 10, loss: 0.3, duplication: 0.3 };
    const [quiet, busy] = [new Network(7, new VirtualClock(), lossy), new Network(7, new VirtualClock(), lossy)];
    const said = (network: Network, besides: () => void) =>
      Array.from({ length: 20 }, () => {
        besides();
        return network.route('a', 'b', 1);
      });
    expect(said(busy, () => busy.route('c', 'b', 1))).toEqual(said(quiet, () => {}));
  });
});
