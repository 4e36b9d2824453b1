import assert from 'node:assert/strict';
import { isShoalError } from '../errors/index.ts';
import { type Identity, newIdentity, type PeerId, type PeerRole } from '../identity/index.ts';
import type { Link } from '../link/index.ts';
import { seededRandom } from '../runtime/index.ts';
import { type Heard, listenTo } from './heard-frames.ts';

/** Where links of one kind live while they are tested. Every case gets a new one. */
export interface LinkWorld {
  readonly coordinator: Identity;
  /** The coordinator's end, not started. Called once. */
  coordinatorLink(): Link;
  /** A device's end, not started. */
  deviceLink(device: Identity): Link;
  /** Takes the middle (broker, network) away while `action` runs. Only where there is one. */
  readonly away?: (action: () => Promise<void>) => Promise<void>;
  /** What is still open although every link was stopped: sockets, timers. */
  leftovers(): readonly string[];
  close(): Promise<void>;
}

export interface ConformanceCase {
  readonly name: string;
  /** Rejects with an `AssertionError` when the link does not conform. */
  run(): Promise<void>;
}

export interface ConformanceOptions {
  /** Whether worlds have an `away`; the cases about a middle that goes away are left out where there is none. */
  readonly middle: boolean;
}

/** What every kind of {@link Link} must do. Made for any test runner: `for (const { name, run } of linkConformance(...)) it(name, run)`. */
export function linkConformance(
  makeWorld: () => Promise<LinkWorld>,
  options: ConformanceOptions,
): readonly ConformanceCase[] {
  const fitting = cases.filter((each) => options.middle || !each.needsMiddle);
  return fitting.map(({ name, check }) => ({
    name,
    async run() {
      const world = await makeWorld();
      const stage = new Stage(world);
      try {
        await check(stage);
        await stage.stopAll();
        assert.deepEqual(world.leftovers(), [], 'something is left although every link was stopped');
      } finally {
        await stage.stopAll();
        await world.close();
      }
    },
  }));
}

interface End {
  readonly id: PeerId;
  readonly link: Link;
  readonly heard: Heard;
}

const never = new AbortController().signal;

/** The links of one case. */
class Stage {
  readonly world: LinkWorld;
  readonly #random = seededRandom(20_261);
  readonly #ends: End[] = [];

  constructor(world: LinkWorld) {
    this.world = world;
  }

  identity(role: PeerRole = 'device'): Identity {
    return newIdentity(role, this.#random);
  }

  bytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  coordinator(): End {
    return this.#add(this.world.coordinator.id, this.world.coordinatorLink());
  }

  device(): End {
    const identity = this.identity();
    return this.#add(identity.id, this.world.deviceLink(identity));
  }

  /** A coordinator and a device that reach each other. */
  async pair(): Promise<{ coordinator: End; device: End }> {
    const coordinator = this.coordinator();
    const device = this.device();
    await this.connect(coordinator, device);
    return { coordinator, device };
  }

  async connect(coordinator: End, ...devices: readonly End[]): Promise<void> {
    await coordinator.link.start(never);
    for (const device of devices) await device.link.start(never);
    for (const device of devices) {
      await coordinator.heard.reachable(device.id, true);
      await device.heard.reachable(coordinator.id, true);
    }
  }

  async away(action: () => Promise<void>): Promise<void> {
    assert.ok(this.world.away, 'this world has no middle that can go away');
    await this.world.away(action);
  }

  async stopAll(): Promise<void> {
    for (const { link } of this.#ends.splice(0).reverse()) await link.stop();
  }

  #add(id: PeerId, link: Link): End {
    const end = { id, link, heard: listenTo(link) };
    this.#ends.push(end);
    return end;
  }
}

async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => isShoalError(error) && error.code === code, `expected ${code}`);
}

async function expectBytes(end: End, expected: ArrayLike<number>, sender?: PeerId): Promise<void> {
  const { from, bytes } = await end.heard.next();
  assert.ok(
    Buffer.from(bytes).equals(Buffer.from(expected)),
    `${bytes.length} bytes came that are not those ${expected.length} that were sent`,
  );
  if (sender !== undefined) assert.equal(from, sender);
}

const cases: readonly { readonly name: string; readonly needsMiddle?: true; check(stage: Stage): Promise<void> }[] = [
  {
    name: 'carries the exact bytes both ways and says who they are from',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const up = stage.bytes(1000);
      const down = stage.bytes(1000);
      await device.link.send(coordinator.id, up);
      await expectBytes(coordinator, up, device.id);
      await coordinator.link.send(device.id, down);
      await expectBytes(device, down, coordinator.id);
    },
  },
  {
    name: 'does not mind that a sender uses its buffer again once the frame is taken',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const frame = Uint8Array.of(1, 2, 3);
      await device.link.send(coordinator.id, frame);
      await expectBytes(coordinator, [1, 2, 3]);
      frame.fill(9);
      await device.link.send(coordinator.id, frame);
      await expectBytes(coordinator, [9, 9, 9]);
    },
  },
  {
    name: 'takes a frame of one byte and one of exactly the limit, refuses one byte more, and goes on',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const { maxFrameBytes } = device.link.traits;
      const ends = [
        [device, coordinator],
        [coordinator, device],
      ] as const;
      for (const [from, to] of ends) {
        for (const length of [1, maxFrameBytes - 1, maxFrameBytes]) {
          const frame = stage.bytes(length);
          await from.link.send(to.id, frame);
          await expectBytes(to, frame);
        }
        await rejectsWith('message.too-large', from.link.send(to.id, stage.bytes(maxFrameBytes + 1)));
        await from.link.send(to.id, Uint8Array.of(7));
        await expectBytes(to, [7]);
      }
    },
  },
  {
    name: 'sends nothing for a signal that is aborted already, and rejects with its reason',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const reason = new Error('no longer wanted');
      await assert.rejects(device.link.send(coordinator.id, Uint8Array.of(1), AbortSignal.abort(reason)), reason);
      await device.link.send(coordinator.id, Uint8Array.of(2));
      await expectBytes(coordinator, [2]);
    },
  },
  {
    name: 'refuses to send before it is started and after it is stopped',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const late = stage.device();
      await rejectsWith('closed', late.link.send(coordinator.id, Uint8Array.of(1)));
      await device.link.stop();
      await rejectsWith('closed', device.link.send(coordinator.id, Uint8Array.of(1)));
    },
  },
  {
    name: 'refuses to start for a signal that is aborted already',
    async check(stage) {
      await assert.rejects(stage.device().link.start(AbortSignal.abort(new Error('no longer wanted'))));
    },
  },
  {
    name: 'stops twice, and without having been started, and says nothing more',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const other = stage.device();
      await other.link.stop();
      await other.link.stop();
      await Promise.all([device.link.stop(), device.link.stop()]);
      await device.link.stop();
      await coordinator.heard.reachable(device.id, false);
      await coordinator.link.send(device.id, Uint8Array.of(1)).catch(() => {});
      assert.equal(device.heard.count, 0);
    },
  },
  {
    name: 'tells nothing to a listener that has ended its subscription',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      let told = 0;
      const end = coordinator.link.subscribe({ onFrame: () => (told += 1) });
      await device.link.send(coordinator.id, Uint8Array.of(1));
      await coordinator.heard.next();
      end();
      await device.link.send(coordinator.id, Uint8Array.of(2));
      await coordinator.heard.next();
      assert.equal(told, 1);
    },
  },
  {
    name: 'refuses to send to a peer that is not there',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      if (coordinator.link.traits.reliable) {
        await rejectsWith('net.unreachable', coordinator.link.send(stage.identity().id, Uint8Array.of(1)));
      }
      await rejectsWith('net.unreachable', device.link.send(stage.identity('coordinator').id, Uint8Array.of(1)));
    },
  },
  {
    name: 'gives each device only its own frames',
    async check(stage) {
      const coordinator = stage.coordinator();
      const one = stage.device();
      const two = stage.device();
      await stage.connect(coordinator, one, two);
      await coordinator.link.send(one.id, Uint8Array.of(1));
      await coordinator.link.send(two.id, Uint8Array.of(2));
      await expectBytes(one, [1]);
      await expectBytes(two, [2]);
      await one.link.send(coordinator.id, Uint8Array.of(3));
      await two.link.send(coordinator.id, Uint8Array.of(4));
      const heard = [await coordinator.heard.next(), await coordinator.heard.next()];
      assert.deepEqual(
        new Map(heard.map(({ from, bytes }) => [from, bytes[0]])),
        new Map([
          [one.id, 3],
          [two.id, 4],
        ]),
      );
      assert.equal(one.heard.count + two.heard.count, 2);
    },
  },
  {
    name: 'delivers all of 1000 frames of all sizes, in order if it claims to',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const sent = Array.from({ length: 1000 }, (_, i) => `${i} ${'x'.repeat((i * 37) % 3000)}`);
      const received: string[] = [];
      const receive = async () => received.push(Buffer.from((await coordinator.heard.next()).bytes).toString());
      for (const [i, text] of sent.entries()) {
        await device.link.send(coordinator.id, Buffer.from(text));
        // No more on their way than any link takes.
        if (i >= 50) await receive();
      }
      while (received.length < sent.length) await receive();
      if (!device.link.traits.ordered) {
        sent.sort();
        received.sort();
      }
      assert.deepEqual(received, sent);
    },
  },
  {
    name: 'holds a bounded number of bytes for a burst, and delivers every frame that it took',
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      const frame = stage.bytes(device.link.traits.maxFrameBytes >> 2);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 200 }, () => coordinator.link.send(device.id, frame)),
      );
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      for (const { reason } of refused) assert.ok(isShoalError(reason, 'queue.full'), `unexpected: ${reason}`);
      assert.ok(refused.length > 0, 'a burst of 200 frames was taken whole');
      const taken = outcomes.length - refused.length;
      for (let i = 0; i < taken; i++) assert.equal((await device.heard.next()).bytes.length, frame.length);
      await coordinator.link.send(device.id, Uint8Array.of(1));
      await expectBytes(device, [1]);
    },
  },
  {
    name: 'says when a peer comes, goes and comes again',
    async check(stage) {
      const coordinator = stage.coordinator();
      const identity = stage.identity();
      await coordinator.link.start(never);
      for (let round = 0; round < 3; round++) {
        const link = stage.world.deviceLink(identity);
        await link.start(never);
        await coordinator.heard.reachable(identity.id, true);
        await link.stop();
        await coordinator.heard.reachable(identity.id, false);
      }
    },
  },
  {
    name: 'finds its way back after the middle was away, and says so',
    needsMiddle: true,
    async check(stage) {
      const { coordinator, device } = await stage.pair();
      await stage.away(async () => {
        await device.heard.reachable(coordinator.id, false);
        await coordinator.heard.reachable(device.id, false);
        await rejectsWith('net.unreachable', device.link.send(coordinator.id, Uint8Array.of(1)));
      });
      await device.heard.reachable(coordinator.id, true);
      await coordinator.heard.reachable(device.id, true);
      await device.link.send(coordinator.id, Uint8Array.of(2));
      await expectBytes(coordinator, [2]);
      await coordinator.link.send(device.id, Uint8Array.of(3));
      await expectBytes(device, [3]);
    },
  },
  {
    name: 'starts while the middle is away, and can be stopped then',
    needsMiddle: true,
    async check(stage) {
      const coordinator = stage.coordinator();
      const device = stage.device();
      const other = stage.device();
      await coordinator.link.start(never);
      await stage.away(async () => {
        await device.link.start(never);
        await other.link.start(never);
        await rejectsWith('net.unreachable', device.link.send(coordinator.id, Uint8Array.of(1)));
        await other.link.stop();
      });
      await coordinator.heard.reachable(device.id, true);
      await device.heard.reachable(coordinator.id, true);
    },
  },
];
