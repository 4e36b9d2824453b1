import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aChoice, cameraShare, type DeviceSnapshot, exactly, place, type Stream } from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, type DeviceChange, onBattery, someWork } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

// With three milliseconds for its frames, a run of 97 ms takes a tenth of a device for each frame a second.
const board = (id: string, change: DeviceChange = {}) => aDevice(id, { runMs: 97, energyJ: 0.1, ...change });

const context = { ...aPolicy, nowMs: 0, wallMs: 0, random: seededRandom(1) };

function planFor(devices: readonly DeviceSnapshot[], stream: Stream, choices = someWork().choices) {
  const current = stream.current?.device;
  return place(aFleet(devices), someWork({ stream, choices }), {
    ...aPolicy,
    nowMs: 0,
    wallMs: 0,
    random: seededRandom(1),
    ...(current !== undefined && { current }),
  });
}
function chosenFor(...asked: Parameters<typeof planFor>) {
  const plan = planFor(...asked);
  if (plan.kind === 'unplaced') throw new Error(plan.reason);
  return plan.placement.chosen;
}

describe('a camera', () => {
  it('takes a part of its device, and watts', () => {
    expect(cameraShare(board('d'), { model: 'm', variant: 'int8', fps: 5 })).toEqual({ load: 0.5, watts: 0.5 });
    expect(cameraShare(board('d', { slots: 2 }), { model: 'm', variant: 'int8', fps: 5 }).load).toBe(0.25);
  });

  it('goes where its frames are not left out', () => {
    const full = board('full', { cameraLoad: 0.6, energyJ: 0.05 });
    const { device, cost } = chosenFor([full, board('free')], { fps: 5 });
    expect(device).toBe('free');
    expect(cost.lateness).toBe(0);
  });

  it('costs for each frame that would be left out', () => {
    // Two times what the device can do, and 0.9 of it is full: 55 % of 18 frames a second are left out.
    const { cost } = chosenFor([board('d')], { fps: 18 });
    expect(cost.lateness).toBeCloseTo(18 * aPolicy.weights.perMiss * (1 - 0.9 / 1.8), 9);
  });

  it('costs joules and time by the second', () => {
    const one = chosenFor([board('d')], { fps: 1 }).cost;
    const four = chosenFor([board('d')], { fps: 4 }).cost;
    expect(four.energy).toBeCloseTo(4 * one.energy, 9);
    expect(four.time).toBeCloseTo(4 * one.time, 9);
  });

  it('does not mind the tasks that wait, nor loading once', () => {
    const busy = board('busy', { running: 1, backlog: exactly(900), loadMs: 5_000 });
    expect(chosenFor([busy], { fps: 1 })).toMatchObject({ queueMs: 0, loadMs: 0, totalMs: 97 });
  });

  it('is given a cheaper model where the accurate one would leave frames out', () => {
    const choices = [aChoice('big', aVariant(), 0.4), aChoice('m', aVariant(), 0.35)];
    const device = board('d', { variants: { 'big/int8': { run: exactly(297), energyJ: 0.1 } } });
    const modelAt = (fps: number, perSecond: number) => {
      const weights = { ...aPolicy.weights, perAccuracy: 0.3, perSecond };
      const context = { ...aPolicy, weights, nowMs: 0, wallMs: 0, random: seededRandom(1) };
      const plan = place(aFleet([device]), someWork({ stream: { fps }, choices }), context);
      return plan.kind === 'placed' && plan.placement.chosen.model;
    };
    expect(modelAt(1, 0.1)).toBe('m');
    expect([2, 8].map((fps) => modelAt(fps, 0))).toEqual(['big', 'm']);
  });

  it('stays where it is unless moving is worth it', () => {
    const here = board('here', { cameraLoad: 0.5, cameraWatts: 0.5 });
    const current = { device: 'here', load: 0.5, watts: 0.5, decode: 0 };
    // A little better by the second: not worth a move.
    const better = board('better', { energyJ: 0.08 });
    expect(chosenFor([here, better], { fps: 5 }).device).toBe('better');
    expect(chosenFor([here, better], { fps: 5, current })).toMatchObject({ device: 'here', cost: { move: 0 } });
    // Ten watts less are.
    const dear = board('here', { energyJ: 2, cameraLoad: 0.5, cameraWatts: 10 });
    expect(chosenFor([dear, better], { fps: 5, current })).toMatchObject({ device: 'better', cost: { move: 2 } });
  });

  it('is not counted against itself where it runs', () => {
    const here = board('here', { cameraLoad: 0.5 });
    const current = { device: 'here', load: 0.5, watts: 0, decode: 0 };
    // Counted twice, ten tenths of the device would be asked for, and a tenth of the frames left out.
    expect(chosenFor([here], { fps: 5 }).cost.lateness).toBeGreaterThan(0);
    expect(chosenFor([here], { fps: 5, current })).toMatchObject({ inferenceMs: 97, cost: { lateness: 0 } });
  });

  it('goes to no battery that does not last for half an hour of it', () => {
    // 360 J are a percent: a watt for half an hour are five.
    const phone = (levelPct: number) => board('phone', { power: onBattery(levelPct, { idleWatts: 0 }), energyJ: 0.2 });
    expect(planFor([phone(36)], { fps: 5 }).kind).toBe('placed');
    expect(planFor([phone(34)], { fps: 5 })).toMatchObject({ kind: 'unplaced', refused: [{ reason: 'battery' }] });
    const running = { ...phone(36), cameraWatts: 1 };
    expect(planFor([running], { fps: 5 }).kind).toBe('unplaced');
    expect(planFor([running], { fps: 5, current: { device: 'phone', load: 0.5, watts: 1, decode: 0 } }).kind).toBe(
      'placed',
    );
  });

  it('is to be analysed within its time: being late costs, and nothing is refused for it', () => {
    const plan = (timeLeftMs: number) =>
      place(
        aFleet([board('slow', { energyJ: 0 }), board('quick', { runMs: 20, energyJ: 0.2 })]),
        someWork({ stream: { fps: 5 }, timeLeftMs }),
        context,
      );
    expect(plan(1_000)).toMatchObject({ placement: { chosen: { device: 'slow', cost: { lateness: 0 } } } });
    expect(plan(50)).toMatchObject({ placement: { chosen: { device: 'quick', cost: { lateness: 0 } } } });
    expect(plan(5)).toMatchObject({ kind: 'placed' });
  });

  it('is decoded at the best level that there is room for', () => {
    const levelWith = (taken: number) =>
      chosenFor([board('d', { cameraLoad: 0.1, decode: { capacity: 0.8, taken, factor: 1 } })], { fps: 5 });
    expect(levelWith(0.7)).toMatchObject({ decode: 'full', fps: 5, cost: { decode: 0 } });
    expect(levelWith(0.75)).toMatchObject({ decode: 'skip', fps: 5, cost: { decode: aPolicy.weights.perDecodeLevel } });
    expect(levelWith(0.77)).toMatchObject({ decode: 'keyframes', fps: 0.5 });
    // Nine of ten frames are not there to be analysed.
    expect(levelWith(0.77).cost.lateness).toBeCloseTo(5 * aPolicy.weights.perMiss * 0.9, 9);
  });

  it('rather goes where it is decoded in full', () => {
    const crowded = board('crowded', { decode: { capacity: 0.8, taken: 0.75, factor: 1 } });
    expect(chosenFor([crowded, board('free', { energyJ: 0.11 })], { fps: 5 }).device).toBe('free');
  });

  it('is refused with the figures when the decoder of the device is full, and not when it is the first', () => {
    const full = board('d', { decode: { capacity: 0.8, taken: 0.795, factor: 1 } });
    expect(planFor([full], { fps: 5 })).toMatchObject({
      kind: 'unplaced',
      reason: 'no device can take it now: 1 cannot decode more cameras',
      refused: [
        {
          reason: 'decode-budget',
          detail:
            'its cameras keep 0.80 of the 0.80 cores busy that it has for decoding, this one needs 0.01 for its keyframes',
        },
      ],
    });
    expect(chosenFor([board('d', { decode: { capacity: 0.001, taken: 0, factor: 1 } })], { fps: 5 }).decode).toBe(
      'keyframes',
    );
  });

  it('is refused where less than a fifth of its frames would be analysed beside the others', () => {
    const plan = planFor([board('d', { cameraLoad: 0.85 })], { fps: 5 });
    expect(plan).toMatchObject({
      refused: [{ reason: 'busy', detail: 'its cameras take 85 % of it: 0.5 of 5 frames a second would be analysed' }],
    });
    // A guess takes nothing from anybody.
    expect(planFor([aDevice('d', { cameraLoad: 0.85 })], { fps: 5 }).kind).toBe('placed');
  });

  it('gets what others give up for it', () => {
    const full = board('d', { cameraLoad: 0.85, decode: { capacity: 0.8, taken: 0.795, factor: 1 } });
    const yields = new Map([['d', { load: 0.5, watts: 0, decode: 0.1 }]]);
    expect(chosenFor([full], { fps: 5, yields })).toMatchObject({ decode: 'full', fps: 5 });
  });

  it('does not go where it is too hot, or where it has just had to leave', () => {
    expect(planFor([board('d', { heat: 'it is at 91 °C' })], { fps: 5 })).toMatchObject({
      refused: [{ reason: 'hot', detail: 'too hot to watch cameras: it is at 91 °C' }],
    });
    expect(planFor([board('d')], { fps: 5, left: new Map([['d', 'its battery']]) })).toMatchObject({
      refused: [{ reason: 'left', detail: 'had to give it up a moment ago: its battery' }],
    });
    const task = place(aFleet([board('d', { heat: 'it is at 91 °C' })]), someWork(), context);
    expect(task.kind).toBe('placed');
  });
});
