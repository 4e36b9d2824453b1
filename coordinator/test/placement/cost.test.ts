import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import {
  aChoice,
  type CostWeights,
  type DeviceSnapshot,
  exactly,
  fromQuantiles,
  place,
  type Work,
} from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, onBattery, onMains, someWork } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

const nothing: CostWeights = {
  perSecondLate: 0,
  perMiss: 0,
  perSecond: 0,
  perJoule: 0,
  whileCharging: 1,
  perAccuracy: 0,
  perScarceSecond: 0,
  perDecodeLevel: 0,
  perMove: 0,
};

interface Situation {
  readonly weights: Partial<CostWeights>;
  readonly current?: string;
  readonly acceleratorsBusy?: number;
}

/** Where the work goes when nothing counts but these weights, and what that costs. */
function chosen(devices: readonly DeviceSnapshot[], work: Work, { weights, current, acceleratorsBusy }: Situation) {
  const plan = place(aFleet(devices, acceleratorsBusy), work, {
    ...aPolicy,
    weights: { ...nothing, ...weights },
    nowMs: 0,
    wallMs: 0,
    random: seededRandom(1),
    ...(current !== undefined && { current }),
  });
  if (plan.kind === 'unplaced') throw new Error(plan.reason);
  return plan.placement.chosen;
}

describe('the cost of a placement', () => {
  it('counts seconds until the result is there', () => {
    const fleet = [aDevice('slow', { runMs: 400, energyJ: 0 }), aDevice('fast', { runMs: 100, energyJ: 5 })];
    const { device, cost } = chosen(fleet, someWork(), { weights: { perSecond: 2 } });
    expect(device).toBe('fast');
    expect(cost).toMatchObject({ time: 0.2, total: 0.2 });
  });

  it('counts joules', () => {
    const fleet = [aDevice('slow', { runMs: 400, energyJ: 1 }), aDevice('fast', { runMs: 100, energyJ: 5 })];
    const { device, cost } = chosen(fleet, someWork(), { weights: { perJoule: 3 } });
    expect(device).toBe('slow');
    expect(cost).toMatchObject({ energy: 3, total: 3 });
  });

  it('counts joules at the price of the battery they come from', () => {
    const on = (id: string, levelPct: number) => aDevice(id, { runMs: 10, energyJ: 1, power: onBattery(levelPct) });
    const { device, cost } = chosen([on('low', 44), on('high', 65)], someWork(), { weights: { perJoule: 1 } });
    expect(device).toBe('high');
    expect(cost.energy).toBeCloseTo(2, 9);
    const mains = aDevice('mains', { runMs: 10, energyJ: 1.5 });
    expect(chosen([on('high', 65), mains], someWork(), { weights: { perJoule: 1 } }).device).toBe('mains');
  });

  it('counts joules less while a battery is charged', () => {
    const charging = aDevice('charging', { runMs: 10, energyJ: 1.5, power: { ...onMains, levelPct: 50 } });
    const fleet = [aDevice('mains', { runMs: 10, energyJ: 1 }), charging];
    expect(chosen(fleet, someWork(), { weights: { perJoule: 1, whileCharging: 0.5 } }).device).toBe('charging');
    expect(chosen(fleet, someWork(), { weights: { perJoule: 1, whileCharging: 1 } }).device).toBe('mains');
  });

  it('takes a run of which only the time is known for a small board that is busy', () => {
    const { cost } = chosen([aDevice('d', { runMs: 200 })], someWork(), { weights: { perJoule: 1 } });
    expect(cost.energy).toBeCloseTo(1, 9);
  });

  const queued = (ms: number) => ({ running: 1, backlog: exactly(ms) });

  it('counts the seconds that it is expected to be late', () => {
    const fleet = [
      aDevice('late', { runMs: 100, energyJ: 0, ...queued(900) }),
      aDevice('later', { runMs: 100, energyJ: 0, ...queued(1_400) }),
    ];
    const { device, cost } = chosen(fleet, someWork({ timeLeftMs: 500 }), { weights: { perSecondLate: 2 } });
    expect(device).toBe('late');
    expect(cost).toMatchObject({ lateness: 1, total: 1 });
  });

  it('counts the chance to be late: of two that are as quick in the mean the surer one is taken', () => {
    const device = (id: string, p50: number, p95: number) =>
      aDevice(id, { variants: { 'm/int8': { run: fromQuantiles(p50, p95), energyJ: 0 } } });
    const fleet = [device('wild', 60, 250), device('steady', 90, 100)];
    const work = someWork({ timeLeftMs: 120 });
    expect(chosen(fleet, work, { weights: { perMiss: 1 } }).device).toBe('steady');
    expect(chosen(fleet, work, { weights: { perMiss: 1 } }).cost.lateness).toBeLessThan(0.01);
  });

  it('counts accuracy that is given up against the best that could be run', () => {
    const work = someWork({ choices: [aChoice('m', aVariant(), 0.25), aChoice('big', aVariant(), 0.35)] });
    const both = aDevice('d', { runMs: 10, energyJ: 1, variants: { 'big/int8': { run: exactly(50), energyJ: 2 } } });
    const cheap = chosen([both], work, { weights: { perJoule: 1, perAccuracy: 5 } });
    expect(cheap).toMatchObject({ model: 'm', accuracy: 0.25 });
    expect(cheap.cost.accuracy).toBeCloseTo(0.5, 9);
    const accurate = chosen([both], work, { weights: { perJoule: 1, perAccuracy: 20 } });
    expect(accurate).toMatchObject({ model: 'big', accuracy: 0.35, cost: { accuracy: 0 } });
  });

  it('counts seconds of an accelerator, the more the busier all of them are', () => {
    const fleet = [
      aDevice('cpu', { runMs: 300, energyJ: 0 }),
      aDevice('gpu', { runMs: 100, energyJ: 0, accelerated: true }),
    ];
    const weights = { perSecond: 1, perScarceSecond: 10 };
    expect(chosen(fleet, someWork(), { weights, acceleratorsBusy: 0.1 })).toMatchObject({
      device: 'gpu',
      cost: { scarcity: 0.1 },
    });
    expect(chosen(fleet, someWork(), { weights, acceleratorsBusy: 0.9 })).toMatchObject({
      device: 'cpu',
      cost: { scarcity: 0 },
    });
  });

  it('counts moving work that runs already', () => {
    const fleet = [aDevice('here', { runMs: 300, energyJ: 0 }), aDevice('there', { runMs: 100, energyJ: 0 })];
    const move = (perMove: number) =>
      chosen(fleet, someWork(), { weights: { perSecond: 1, perMove }, current: 'here' });
    expect(move(0.3)).toMatchObject({ device: 'here', cost: { move: 0 } });
    expect(move(0.1)).toMatchObject({ device: 'there', cost: { move: 0.1 } });
  });

  it('is the sum of its terms', () => {
    const device = aDevice('d', {
      ...queued(400),
      runMs: 200,
      loadMs: 50,
      energyJ: 2,
      accelerated: true,
      power: onBattery(80),
    });
    const { cost } = chosen([device], someWork({ timeLeftMs: 300 }), {
      weights: aPolicy.weights,
      acceleratorsBusy: 0.5,
      current: 'elsewhere',
    });
    const { total, ...terms } = cost;
    for (const term of [terms.lateness, terms.time, terms.energy, terms.scarcity, terms.move])
      expect(term).toBeGreaterThan(0);
    expect(Object.values(terms).reduce((sum, term) => sum + term, 0)).toBeCloseTo(total, 9);
  });
});

describe('a model in memory', () => {
  const cold = aDevice('cold', { runMs: 10, energyJ: 0.1, loadMs: 5_000 });
  const warm = aDevice('warm', { runMs: 20, energyJ: 0.2 });
  const planFor = (devices: readonly DeviceSnapshot[]) =>
    place(aFleet(devices), someWork(), { ...aPolicy, nowMs: 0, wallMs: 0, random: seededRandom(1) });

  it('is had where it would have been better, when loading is all that stands against it', () => {
    const plan = planFor([cold, warm]);
    expect(plan).toMatchObject({
      placement: { chosen: { device: 'warm', loadMs: 0 } },
      warm: { device: 'cold', model: 'm', variant: 'int8' },
    });
  });

  it('is not asked for where it would not be better, nor where the work goes and loads it anyway', () => {
    expect(planFor([warm, aDevice('cold', { runMs: 30, energyJ: 0.3, loadMs: 5_000 })])).not.toHaveProperty('warm');
    expect(planFor([warm])).not.toHaveProperty('warm');
  });
});
