import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { defaultSessionLimits, Session, type SessionLimits, Sessions, toHex } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../support/refusals.ts';

let made = 0;

function aSession(): Session {
  made += 1;
  const id = Buffer.alloc(16);
  id.writeUInt32BE(made);
  return new Session(id, { send: new Uint8Array(32).fill(1), receive: new Uint8Array(32).fill(2) });
}

const hasEnded = (session: Session) => {
  try {
    session.seal(2 ** 52 + session.frames, []);
    return false;
  } catch {
    return true;
  }
};

function some(limits: Partial<SessionLimits> = {}) {
  const clock = new VirtualClock();
  return { clock, sessions: new Sessions(clock, { ...defaultSessionLimits, ...limits }) };
}

describe('the sessions of a device', () => {
  it('are spoken under from the answer on, and the one before is heard until the coordinator has changed too', () => {
    const { sessions } = some();
    const [old, young] = [aSession(), aSession()];
    sessions.adopt('crd_a', old);
    sessions.adopt('crd_a', young);
    expect(sessions.current('crd_a')).toBe(young);
    expect(sessions.find('crd_a', old.id)).toBe(old);
    expect(sessions.used('crd_a', old)).toBe(false);
    expect(hasEnded(old)).toBe(false);
    sessions.used('crd_a', young);
    expect(sessions.find('crd_a', old.id)).toBeUndefined();
    expect([hasEnded(old), hasEnded(young)]).toEqual([true, false]);
  });

  it('are two at most, however often they are renewed', () => {
    const { sessions } = some();
    const all = Array.from({ length: 5 }, aSession);
    for (const session of all) sessions.adopt('crd_a', session);
    expect(all.map(hasEnded)).toEqual([true, true, true, false, false]);
  });
});

describe('the sessions of a coordinator', () => {
  it('are spoken under once the device has used them: it may never have heard the answer', () => {
    const { sessions } = some();
    const [old, young] = [aSession(), aSession()];
    sessions.expect('dev_a', old, true);
    expect(sessions.current('dev_a')).toBeUndefined();
    expect(sessions.used('dev_a', old)).toBe(true);
    expect(sessions.current('dev_a')).toBe(old);
    sessions.expect('dev_a', young, true);
    expect(sessions.current('dev_a')).toBe(old);
    expect(sessions.used('dev_a', old)).toBe(false);
    expect(sessions.used('dev_a', young)).toBe(false);
    expect(sessions.current('dev_a')).toBe(young);
    expect([hasEnded(old), hasEnded(young)]).toEqual([true, false]);
  });

  it('are forgotten when another is agreed on that was not used', () => {
    const { sessions } = some();
    const [first, second] = [aSession(), aSession()];
    sessions.expect('dev_a', first, true);
    sessions.expect('dev_a', second, true);
    expect(sessions.find('dev_a', first.id)).toBeUndefined();
    expect(hasEnded(first)).toBe(true);
  });

  it('are found by the device that has them alone', () => {
    const { sessions } = some();
    const session = aSession();
    sessions.expect('dev_a', session, true);
    expect(sessions.find('dev_b', session.id)).toBeUndefined();
    expect(sessions.find('dev_a', session.id.subarray(1))).toBeUndefined();
  });

  it('of strangers cannot push out those of devices that have joined, and move to them when one joins', () => {
    const { sessions } = some({ mostStrangers: 10 });
    const [joined, joining] = [aSession(), aSession()];
    sessions.expect('dev_joined', joined, true);
    sessions.expect('dev_joining', joining, false);
    sessions.admit('dev_joining');
    const strangers = Array.from({ length: 30 }, aSession);
    for (const [index, session] of strangers.entries()) sessions.expect(`dev_${index}`, session, false);
    expect(sessions.size).toBe(12);
    expect(sessions.find('dev_joined', joined.id)).toBe(joined);
    expect(sessions.find('dev_joining', joining.id)).toBe(joining);
    expect(strangers.filter(hasEnded)).toHaveLength(20);
  });
});

describe('a session', () => {
  it('is due to be renewed after a time or a number of frames, and ends for certain later', async () => {
    const { clock, sessions } = some({ renewAfterMs: 100, endAfterMs: 200, renewAfterFrames: 3, endAfterFrames: 5 });
    const byTime = aSession();
    sessions.adopt('crd_a', byTime);
    expect(sessions.isDue('crd_a')).toBe(false);
    await clock.advance(100);
    expect(sessions.isDue('crd_a')).toBe(true);
    expect(sessions.current('crd_a')).toBe(byTime);
    await clock.advance(100);
    expect(sessions.current('crd_a')).toBeUndefined();
    expect(hasEnded(byTime)).toBe(true);
    const byUse = aSession();
    sessions.adopt('crd_a', byUse);
    for (let sequence = 1; sequence <= 3; sequence++) byUse.seal(sequence, []);
    expect([sessions.isDue('crd_a'), sessions.current('crd_a')]).toEqual([true, byUse]);
    for (let sequence = 4; sequence <= 5; sequence++) byUse.seal(sequence, []);
    expect(sessions.find('crd_a', byUse.id)).toBeUndefined();
    expect(sessions.current('crd_a')).toBeUndefined();
  });

  it('is ended by a sweep though nobody asks for it, and its peer forgotten', async () => {
    const { clock, sessions } = some({ endAfterMs: 200 });
    const [early, late] = [aSession(), aSession()];
    sessions.expect('dev_early', early, false);
    await clock.advance(150);
    sessions.expect('dev_late', late, true);
    await clock.advance(50);
    sessions.sweep();
    expect([sessions.size, hasEnded(early), hasEnded(late)]).toEqual([1, true, false]);
  });

  it('is ended with all others, and with its peer', () => {
    const { sessions } = some();
    const all = Array.from({ length: 3 }, aSession);
    for (const [index, session] of all.entries()) sessions.adopt(`crd_${index}`, session);
    sessions.forget('crd_0');
    expect(all.map(hasEnded)).toEqual([true, false, false]);
    sessions.end();
    expect([sessions.size, ...all.map(hasEnded)]).toEqual([0, true, true, true]);
    expect(refusalOf(() => all[1]?.open(1, { parts: [], tag: new Uint8Array(16) }))).toBe('seal.session');
  });
});

describe('the sessions of ten thousand devices', () => {
  it('take less than 2 KB each, and of more devices than there is room for the first are forgotten', () => {
    const { sessions } = some({ most: 10_000 });
    const name = (number: number) => `dev_${toHex(Buffer.from(String(number)))}`;
    const before = usedBytes();
    for (let number = 0; number < 10_000; number++) {
      const session = aSession();
      sessions.expect(name(number), session, true);
      sessions.used(name(number), session);
    }
    const each = (usedBytes() - before) / 10_000;
    expect(each).toBeLessThan(2_048);
    for (let number = 10_000; number < 10_100; number++) sessions.expect(name(number), aSession(), true);
    expect(sessions.size).toBe(10_000);
    expect(sessions.current(name(99))).toBeUndefined();
    expect(sessions.current(name(100))).toBeDefined();
  });
});

/** Of the heap and of buffers beside it, when what nobody needs is gone. */
function usedBytes(): number {
  // Without it what nobody needs any more is counted, too.
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
