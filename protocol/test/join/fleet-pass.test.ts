import { FleetMembership, FleetPass, MembershipStatement, openMembership, sealMembership } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { aCoordinator, aDevice, anotherCoordinator, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const startMs = 1_767_225_600_000;
const dayMs = 86_400_000;
const open = (membership: Uint8Array, device = aDevice.id) =>
  openMembership(membership, { coordinator: aCoordinator, device });

describe('the word of a coordinator that a device belongs to its fleet', () => {
  it('says until when', () => {
    expect(open(sealMembership(aCoordinator, aDevice.id, startMs + dayMs))).toBe(startMs + dayMs);
  });

  it('is none of another coordinator, about another device, or with a word changed', () => {
    const good = FleetMembership.decode(sealMembership(aCoordinator, aDevice.id, startMs));
    const longer = MembershipStatement.encode({ deviceId: aDevice.id, expiresAtMs: startMs + dayMs });
    const words = [
      sealMembership(anotherCoordinator, aDevice.id, startMs),
      sealMembership(aCoordinator, anotherDevice.id, startMs),
      FleetMembership.encode({ ...good, statement: longer }),
      FleetMembership.encode({ ...good, algorithm: 'none' }),
      FleetMembership.encode({ ...good, signature: aCoordinator.sign(good.statement) }),
      Uint8Array.of(0xff),
      new Uint8Array(),
    ];
    expect(words.map((word) => refusalOf(() => open(word)))).toEqual(words.map(() => 'device.unknown'));
  });
});

describe('what a device shows to others of its fleet', () => {
  let clock: VirtualClock;
  let pass: FleetPass;
  const ofOther = (expiresAtMs: number) => sealMembership(aCoordinator, anotherDevice.id, expiresAtMs);
  const news = (expiresAtMs: number, revoked: readonly string[] = [], coordinatorTimeMs = clock.nowMs()) => ({
    membership: sealMembership(aCoordinator, aDevice.id, expiresAtMs),
    revoked,
    coordinatorTimeMs,
  });

  beforeEach(() => {
    clock = new VirtualClock({ startMs });
    pass = new FleetPass({ coordinator: aCoordinator, device: aDevice.id, clock });
  });

  it('is what the coordinator said last, also after a restart while that is away', () => {
    expect(refusalOf(() => pass.own())).toBe('device.unknown');
    pass.restore(news(startMs + dayMs).membership);
    expect(open(pass.own())).toBe(startMs + dayMs);
    pass.renew(news(startMs + 2 * dayMs));
    expect(open(pass.own())).toBe(startMs + 2 * dayMs);
    pass.renew({ ...news(0), membership: new Uint8Array() });
    expect(open(pass.own())).toBe(startMs + 2 * dayMs);
  });

  it('is good until it expires, its own and that of others', async () => {
    pass.renew(news(startMs + dayMs));
    pass.require(anotherDevice.id, ofOther(startMs + dayMs));
    await clock.advance(dayMs);
    expect(refusalOf(() => pass.own())).toBe('device.expired');
    expect(refusalOf(() => pass.require(anotherDevice.id, ofOther(startMs + dayMs)))).toBe('device.expired');
  });

  it('expires by the clock of the coordinator, however wrong that of the device is', () => {
    const wrongMs = startMs - 400 * dayMs;
    pass.renew(news(wrongMs + dayMs, [], wrongMs));
    pass.require(anotherDevice.id, ofOther(wrongMs + dayMs));
    expect(refusalOf(() => pass.require(anotherDevice.id, ofOther(wrongMs)))).toBe('device.expired');
  });

  it('is good for nothing once the coordinator has said that the device was revoked', () => {
    pass.renew(news(startMs + dayMs, [anotherDevice.id]));
    expect(refusalOf(() => pass.require(anotherDevice.id, ofOther(startMs + dayMs)))).toBe('device.revoked');
  });
});
