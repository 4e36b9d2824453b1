import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import {
  assignTogether,
  type DeviceSnapshot,
  exactly,
  FleetIndex,
  mostTogether,
  type PlacementContext,
  place,
  strategyNamed,
  type Work,
} from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, onBattery, someWork } from '../support/fleets.ts';

const context: PlacementContext = {
  ...aPolicy,
  strategy: strategyNamed('min-cost-flow'),
  nowMs: 0,
  wallMs: 0,
  random: seededRandom(1),
};
const assigned = (devices: readonly DeviceSnapshot[], works: readonly Work[]) =>
  assignTogether(aFleet(devices), works, context);

const patient = someWork({ timeLeftMs: 10_000 });
const urgent = someWork({ timeLeftMs: 60 });

describe('work that is placed together', () => {
  it('leaves the quick device to what has little time, though what has much came first', () => {
    const devices = [aDevice('quick', { runMs: 50, energyJ: 0.1 }), aDevice('slow', { runMs: 90, energyJ: 0.1 })];
    expect(place(aFleet(devices), patient, context)).toMatchObject({ placement: { chosen: { device: 'quick' } } });
    const found = assigned(devices, [patient, urgent]);
    expect(found.toSorted((a, b) => a.work - b.work).map(({ device }) => device)).toEqual(['slow', 'quick']);
  });

  it('does on one device first what has little time', () => {
    const found = assigned([aDevice('only', { runMs: 50, energyJ: 0.1 })], [patient, urgent]);
    expect(found.map(({ work }) => work)).toEqual([1, 0]);
  });

  it('is spread over devices that can take it, each no further than its battery goes', () => {
    // 0.36 J to a percent: each has 0.9 J to spare for runs of 0.5.
    const small = (id: string) =>
      aDevice(id, { runMs: 10, energyJ: 0.5, power: onBattery(32.5, { capacityJ: 36, idleWatts: 0 }) });
    const found = assigned([small('a'), small('b')], [patient, patient, patient]);
    expect(found.map(({ device }) => device).toSorted()).toEqual(['a', 'b']);
  });

  it('does not go where it was tried before, nor where it may not', () => {
    const devices = ['a', 'b', 'c'].map((id) => aDevice(id, { runMs: 10, energyJ: 0.1, labels: { at: id } }));
    const works = [
      someWork({ tried: new Set(['a', 'b']) }),
      someWork({ device: 'b' }),
      someWork({ labels: { at: 'a' } }),
      someWork({
        declined: new Map([
          ['a', 'no'],
          ['c', 'no'],
        ]),
      }),
    ];
    const found = assigned(devices, works).toSorted((a, b) => a.work - b.work);
    expect(found.map(({ device }) => device)).toEqual(['c', 'b', 'a', 'b']);
  });

  it('is nothing that other strategies do', () => {
    expect(
      assignTogether(aFleet([aDevice('a', { runMs: 1 })]), [patient], { ...context, strategy: strategyNamed('cost') }),
    ).toEqual([]);
    expect(assigned([], [patient])).toEqual([]);
  });

  it('looks at a bounded number of devices and turns, however different the works and large the fleet', () => {
    let looks = 0;
    const random = seededRandom(2);
    const fleet = new FleetIndex(random);
    for (let n = 0; n < 1_000; n++) {
      const device = aDevice(`d${n}`, { kind: `kind ${n % 100}`, runMs: 5 + (n % 100), energyJ: 0.1 });
      fleet.put({
        ...device,
        options: (menu) => {
          looks += 1;
          return device.options(menu);
        },
      });
    }
    const works = Array.from({ length: mostTogether }, (_, n) => someWork({ timeLeftMs: 100 * 1.1 ** n }));
    const found = assignTogether(fleet, works, context);
    expect(found).toHaveLength(works.length);
    expect(looks).toBeLessThan(20_000);
  });
});

describe('a device that was decided on', () => {
  const devices = [aDevice('cheap', { runMs: 10, energyJ: 0.1 }), aDevice('dear', { runMs: 10, energyJ: 0.9 })];

  it('is taken though another one would cost less alone, which is shown', () => {
    const plan = place(aFleet(devices), someWork(), { ...context, assigned: 'dear' });
    expect(plan).toMatchObject({
      kind: 'placed',
      placement: { together: true, chosen: { device: 'dear' }, others: [{ device: 'cheap' }], considered: 2 },
    });
  });

  it('is not taken when it cannot take the work any more, has failed at it, or is gone', () => {
    const full = [
      devices[0] as DeviceSnapshot,
      { ...(devices[1] as DeviceSnapshot), running: 2, backlog: exactly(5_000) },
    ];
    const chosenOf = (fleet: readonly DeviceSnapshot[], work: Work, device: string) => {
      const plan = place(aFleet(fleet), work, { ...context, assigned: device });
      return plan.kind === 'placed' ? plan.placement.chosen.device : undefined;
    };
    expect(chosenOf(full, someWork(), 'dear')).toBe('cheap');
    expect(chosenOf(devices, someWork({ tried: new Set(['dear']) }), 'dear')).toBe('cheap');
    expect(chosenOf(devices, someWork(), 'gone')).toBe('cheap');
  });
});
