import {
  DeviceLinks,
  FollowingRoute,
  type Identity,
  type Link,
  type LinkListener,
  LinkListeners,
  MemoryHub,
  Messenger,
  newIdentity,
  SeveralLinks,
  seededRandom,
  silentLogger,
} from '@shoal/protocol';
import { MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';

const never = new AbortController().signal;
const heartbeatMs = 2_000;

/** A hub that can be made to lose everything, one way or both, without telling anybody. */
class Wire {
  readonly hub: MemoryHub;
  lost: 'nothing' | 'up' | 'down' | 'everything' = 'nothing';
  frames = 0;

  constructor(clock: VirtualClock) {
    this.hub = new MemoryHub(clock, {
      route: (from) => {
        this.frames += 1;
        const isUp = from.startsWith('dev_');
        return this.lost === 'everything' || this.lost === (isUp ? 'up' : 'down') ? [] : [5];
      },
    });
  }
}

/** A device with two links to its coordinator that says something every heartbeat, as its telemetry does. */
async function aFleet() {
  const clock = new VirtualClock();
  const random = seededRandom(3);
  const wires = [new Wire(clock), new Wire(clock)] as const;
  const device = newIdentity('device', random);
  const coordinator = newIdentity('coordinator', random);
  const linksOf = ({ id }: Identity) => wires.map(({ hub }) => hub.link(id));
  const coordinatorParts = linksOf(coordinator);
  const deviceLinks = new DeviceLinks(linksOf(device), { coordinator: coordinator.id, clock, logger: silentLogger });
  const coordinatorLinks = new SeveralLinks(coordinatorParts, new FollowingRoute(2), clock);
  const messenger = async (identity: Identity, peer: Identity, link: Link) => {
    const keyOf = (id: string) => (id === peer.id ? peer : undefined);
    const sequences = new MemorySequenceStore();
    const made = new Messenger({ identity, link, peers: { keyOf }, sequences, clock, logger: silentLogger });
    await clock.until(made.start(never));
    await clock.until(link.start(never));
    return made;
  };
  const there = await messenger(coordinator, device, coordinatorLinks);
  const here = await messenger(device, coordinator, deviceLinks);
  const heard: string[] = [];
  there.handle(({ payload }) => {
    if (payload.kind === 'goodbye') heard.push(payload.value.reason);
    return undefined;
  });
  here.handle(() => undefined);
  const said: string[] = [];
  let answered = 0;
  const beat = async () => {
    said.push(`${said.length}`);
    const goodbye = { reason: said.at(-1) ?? '' };
    await here.request(coordinator.id, { goodbye }, { timeoutMs: 60_000, resendMaxMs: 833 });
    answered += 1;
    clock.after('heartbeat', heartbeatMs, () => void beat());
  };
  void beat();
  const ask = () => there.request(device.id, { goodbye: { reason: 'from above' } }, { timeoutMs: 60_000 });
  const tell = () => here.send(coordinator.id, { payload: { profileReport: {} } });
  return {
    clock,
    wires,
    tell,
    deviceLinks,
    coordinatorParts,
    coordinatorLinks,
    heard,
    said,
    ask,
    answered: () => answered,
  };
}

type Fleet = Awaited<ReturnType<typeof aFleet>>;

const inUse = ({ deviceLinks }: Fleet) => deviceLinks.states.findIndex((state) => state.inUse);

/** Everything that was said was heard, once and in order. */
async function expectNothingLost({ clock, heard, said, answered }: Fleet): Promise<void> {
  // Long enough for the last one, also when it was asked over a link that is being tried.
  while (answered() < said.length) await clock.advance(10);
  expect(heard).toEqual(said);
  expect(answered()).toBe(said.length);
}

describe('a device with two links', () => {
  it('speaks over the one that it prefers', async () => {
    const fleet = await aFleet();
    const before = fleet.wires[1].frames;
    await fleet.clock.advance(20_000);
    expect(inUse(fleet)).toBe(0);
    expect(fleet.wires[1].frames).toBe(before);
    expect(fleet.deviceLinks.states).toMatchObject([
      { kind: 'memory', up: true, inUse: true, loss: 0 },
      { kind: 'memory', up: true, inUse: false, loss: 0, rttMs: undefined },
    ]);
    // There and back, and what an acknowledgement waits for company.
    expect(fleet.deviceLinks.states[0]?.rttMs).toBeCloseTo(12, 6);
    await expectNothingLost(fleet);
  });

  it.each(['up', 'down', 'everything'] as const)(
    'goes over to the other within two heartbeats when the first loses %s without a word, and nothing is lost, doubled or out of order',
    async (lost) => {
      const fleet = await aFleet();
      await fleet.clock.advance(10_100);
      fleet.wires[0].lost = lost;
      await fleet.clock.advance(2 * heartbeatMs);
      expect(inUse(fleet)).toBe(1);
      await fleet.clock.until(fleet.ask());
      await fleet.clock.advance(60_000);
      expect(inUse(fleet)).toBe(1);
      expect(fleet.deviceLinks.states[0]?.loss).toBeGreaterThan(0.3);
      await expectNothingLost(fleet);
    },
  );

  it('moves back when the better one answers again', async () => {
    const fleet = await aFleet();
    fleet.wires[0].lost = 'everything';
    await fleet.clock.advance(20_000);
    fleet.wires[0].lost = 'nothing';
    await fleet.clock.advance(45_000);
    expect(inUse(fleet)).toBe(0);
    const before = fleet.wires[1].frames;
    await fleet.clock.until(fleet.ask());
    await fleet.clock.advance(10_000);
    expect(fleet.wires[1].frames).toBe(before);
    await expectNothingLost(fleet);
  });

  it('tries the better one less and less often while it stays silent', async () => {
    const fleet = await aFleet();
    fleet.wires[0].lost = 'everything';
    await fleet.clock.advance(600_000);
    const before = fleet.wires[0].frames;
    await fleet.clock.advance(600_000);
    // Every two minutes once, and what was asked so is asked again over the other.
    expect(fleet.wires[0].frames - before).toBeLessThanOrEqual(6);
    await expectNothingLost(fleet);
  });

  it('goes over at once when the first says that it is gone, and back when it says that it is there', async () => {
    const fleet = await aFleet();
    await fleet.clock.advance(10_100);
    const [first] = fleet.coordinatorParts;
    await fleet.clock.until(Promise.resolve(first?.stop()));
    expect(inUse(fleet)).toBe(1);
    await fleet.clock.until(fleet.ask());
    await fleet.clock.advance(heartbeatMs);
    await fleet.clock.until(Promise.resolve(first?.start(never)));
    expect(inUse(fleet)).toBe(0);
    await fleet.clock.advance(heartbeatMs);
    await expectNothingLost(fleet);
  });

  it('is not taken for gone by its coordinator as long as one link has it', async () => {
    const fleet = await aFleet();
    const seen: [boolean, number][] = [];
    const { coordinatorLinks } = fleet;
    coordinatorLinks.subscribe({
      onFrame: () => {},
      onPeer: (peer, reachable) => seen.push([reachable, coordinatorLinks.kindsTo(peer).length]),
    });
    await fleet.clock.until(fleet.deviceLinks.stop());
    expect(seen).toEqual([
      [true, 1],
      [false, 0],
    ]);
  });

  it('tries each in turn while nobody answers, and finds the one that comes back first', async () => {
    const fleet = await aFleet();
    for (const wire of fleet.wires) wire.lost = 'everything';
    await fleet.clock.advance(30_000);
    fleet.wires[1].lost = 'nothing';
    await fleet.clock.advance(2 * heartbeatMs);
    expect(inUse(fleet)).toBe(1);
    for (const wire of fleet.wires) wire.lost = 'nothing';
    await fleet.clock.advance(60_000);
    expect(inUse(fleet)).toBe(0);
    await expectNothingLost(fleet);
  });

  it('takes nothing for lost that nobody had to answer', async () => {
    const fleet = await aFleet();
    for (let n = 0; n < 20; n++) {
      await fleet.clock.advance(700);
      fleet.tell();
      await fleet.clock.until(fleet.ask());
    }
    expect(fleet.deviceLinks.states).toMatchObject([{ inUse: true, loss: 0 }, { inUse: false }]);
    await expectNothingLost(fleet);
  });

  it('does not doubt a link over which it only answered', async () => {
    const fleet = await aFleet();
    const { clock, wires } = fleet;
    // A reply is the last thing that is said for a while: nothing has to come back.
    await clock.until(fleet.ask());
    const before = wires[1].frames;
    await clock.advance(1_900);
    await clock.until(fleet.ask());
    expect(wires[1].frames).toBe(before);
    await clock.advance(heartbeatMs);
    await expectNothingLost(fleet);
  });

  describe('when a link takes a frame and never says so', () => {
    /** Two links of a device, the first of which hangs, and its coordinator's ends. */
    async function withAHangingLink() {
      const clock = new VirtualClock();
      const hubs = [new MemoryHub(clock), new MemoryHub(clock)];
      const [device, coordinator] = [
        newIdentity('device', seededRandom(1)),
        newIdentity('coordinator', seededRandom(2)),
      ];
      const [first, second] = hubs.map((hub) => hub.link(device.id)) as [Link, Link];
      first.send = () => new Promise(() => {});
      const links = new DeviceLinks([first, second], { coordinator: coordinator.id, clock, logger: silentLogger });
      const there = hubs.map((hub) => hub.link(coordinator.id)) as [Link, Link];
      const heard: number[] = [];
      there[1].subscribe({ onFrame: ([byte = 0]) => heard.push(byte) });
      for (const link of [...there, links]) await clock.until(link.start(never));
      return { clock, links, coordinator, device, there, heard };
    }

    it('goes over to the other after a while', async () => {
      const { clock, links, coordinator, heard } = await withAHangingLink();
      const sent = links.send(coordinator.id, Uint8Array.of(7));
      await clock.advance(2_900);
      expect(heard).toEqual([]);
      await clock.until(sent);
      await clock.advance(10);
      expect(heard).toEqual([7]);
      expect(clock.pending()).toEqual([]);
    });

    it('goes over at once when the peer speaks over the other', async () => {
      const { clock, links, coordinator, device, there, heard } = await withAHangingLink();
      const sent = links.send(coordinator.id, Uint8Array.of(7));
      await clock.until(there[1].send(device.id, Uint8Array.of(1)));
      await clock.until(sent);
      await clock.advance(10);
      expect(heard).toEqual([7]);
      expect(clock.monotonicMs()).toBeLessThan(100);
    });
  });
  it('is advertised by all of its links that do so, and what one of them hears is told', async () => {
    const clock = new VirtualClock();
    const hub = new MemoryHub(clock);
    const listeners = new LinkListeners();
    const said: number[] = [];
    const gossip: Link = Object.assign(hub.link('dev_a'), {
      advertise: ([byte = 0]: Uint8Array) => said.push(byte),
      subscribe: (listener: LinkListener) => listeners.add(listener),
    });
    const links = new SeveralLinks([hub.link('dev_b'), gossip], new FollowingRoute(2), clock);
    await clock.until(links.start(never));
    const told: number[] = [];
    links.subscribe({ onFrame: () => {}, onAdvert: (_peer, [byte = 0]) => told.push(byte) });
    links.advertise(Uint8Array.of(1));
    listeners.advert('dev_c', Uint8Array.of(2));
    expect([said, told]).toEqual([[1], [2]]);
  });

  it('does without a link that cannot be started, as long as there is another', async () => {
    const clock = new VirtualClock();
    const hub = new MemoryHub(clock);
    const coordinator = newIdentity('coordinator', seededRandom(2));
    const broken = () =>
      Object.assign(hub.link('dev_broken'), { start: () => Promise.reject(new Error('no such port')) });
    const deps = { coordinator: coordinator.id, clock, logger: silentLogger };
    const links = new DeviceLinks([broken(), hub.link('dev_well')], deps);
    await clock.until(links.start(never));
    await clock.until(hub.link(coordinator.id).start(never));
    expect(links.states.map(({ up }) => up)).toEqual([false, true]);
    await clock.until(links.stop());
    await expect(clock.until(new DeviceLinks([broken(), broken()], deps).start(never))).rejects.toThrow('no such port');
  });
});
