import {
  answerOffer,
  KeyOffer,
  type Parties,
  type Random,
  type Session,
  SessionAnswer,
  SessionOffer,
  sealAlgorithm,
  seededRandom,
  toHex,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice, anotherCoordinator, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';
import { decrypt, publicShare, secretsOf } from './independent.ts';

const parties: Parties = { device: aDevice.publicKey, coordinator: aCoordinator.publicKey };
const seeds = { device: new Uint8Array(32).fill(0x0d), coordinator: new Uint8Array(32).fill(0x0c) };
const fixed = (seed: Uint8Array): Random => ({ next: () => 0, bytes: () => Uint8Array.from(seed) });

/** Both sides of one agreement. */
function agreed(random: { device: Random; coordinator: Random } = twoRandoms()) {
  const offer = new KeyOffer(random.device);
  const { answer, session } = answerOffer(offer.message, parties, random.coordinator);
  const heard = SessionAnswer.decode(SessionAnswer.encode(answer));
  return { offer, answer: heard, coordinator: session, device: offer.accept(heard, parties) };
}

function twoRandoms() {
  return { device: seededRandom(1), coordinator: seededRandom(2) };
}

const hello = Buffer.from('hello');
const pass = (from: Session, to: Session, sequence = 1) =>
  toHex(to.open(sequence, from.seal(sequence, [hello]))[0] ?? hello);

describe('two peers who agree on a session', () => {
  it('understand each other in both directions', () => {
    const { device, coordinator } = agreed();
    expect(toHex(device.id)).toBe(toHex(coordinator.id));
    expect(pass(device, coordinator)).toBe(toHex(hello));
    expect(pass(coordinator, device)).toBe(toHex(hello));
  });

  it('have the session of the document, byte for byte', () => {
    const { offer, answer, device, coordinator } = agreed({
      device: fixed(seeds.device),
      coordinator: fixed(seeds.coordinator),
    });
    const secrets = secretsOf({
      deviceKey: aDevice.publicKey,
      coordinatorKey: aCoordinator.publicKey,
      deviceSeed: seeds.device,
      coordinatorSeed: seeds.coordinator,
    });
    expect(toHex(offer.message.shares[0]?.share ?? hello)).toBe(toHex(publicShare(seeds.device)));
    expect(toHex(answer.share?.share ?? hello)).toBe(toHex(publicShare(seeds.coordinator)));
    expect(toHex(device.id)).toBe(toHex(secrets.session));
    const picture = new Uint8Array(100_000).fill(7);
    const sequence = 2 ** 53 - 2;
    const up = device.seal(sequence, [hello, picture, new Uint8Array()]);
    expect(decrypt(secrets.toCoordinator, sequence, up.parts, up.tag).map(toHex)).toEqual(
      [hello, picture, new Uint8Array()].map(toHex),
    );
    const down = coordinator.seal(7, [hello]);
    expect(decrypt(secrets.toDevice, 7, down.parts, down.tag).map(toHex)).toEqual([toHex(hello)]);
    // Golden: what the first version said, for ever.
    expect(toHex(device.id)).toBe('e167352443b8bbbceec81913f9178413');
    expect(toHex(down.parts[0] ?? hello) + toHex(down.tag)).toBe('d7f0bad617abb79728f105674cf5704d28420bc2d1');
  });

  it('have another session each time, though they are the same two', () => {
    const random = twoRandoms();
    const [one, two] = [agreed(random), agreed(random)];
    expect(toHex(one.device.id)).not.toBe(toHex(two.device.id));
    expect(refusalOf(() => pass(one.device, two.coordinator))).toBe('message.signature');
  });

  it('have none when either thinks that the other is somebody else', () => {
    for (const others of [
      { ...parties, device: anotherDevice.publicKey },
      { ...parties, coordinator: anotherCoordinator.publicKey },
      { device: parties.coordinator, coordinator: parties.device },
    ]) {
      const offer = new KeyOffer(seededRandom(1));
      const { answer } = answerOffer(offer.message, others, seededRandom(2));
      expect(refusalOf(() => offer.accept(SessionAnswer.decode(SessionAnswer.encode(answer)), parties))).toBe(
        'message.signature',
      );
    }
  });

  it('have none when any bit of the offer or of the answer was changed on the way', () => {
    const flipped = (bytes: Uint8Array, bit: number) =>
      Uint8Array.from(bytes, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    const offer = new KeyOffer(seededRandom(1));
    const whole = SessionOffer.encode(offer.message);
    const random = seededRandom(2);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const refusal = refusalOf(() => {
        const { answer } = answerOffer(SessionOffer.decode(flipped(whole, bit)), parties, random);
        offer.accept(SessionAnswer.decode(SessionAnswer.encode(answer)), parties);
      });
      expect(refusal, `bit ${bit} of the offer`).toBeDefined();
    }
    const answer = SessionAnswer.encode(answerOffer(offer.message, parties, random).answer);
    for (let bit = 0; bit < answer.length * 8; bit++) {
      const refusal = refusalOf(() => offer.accept(SessionAnswer.decode(flipped(answer, bit)), parties));
      expect(refusal, `bit ${bit} of the answer`).toBeDefined();
    }
    expect(refusalOf(() => offer.accept(SessionAnswer.decode(answer), parties))).toBeUndefined();
  });

  it('take the one way that both know when another is offered first: a hybrid needs no new envelope', () => {
    const offer = new KeyOffer(seededRandom(1));
    const hybrid = { algorithm: 'x25519mlkem768-hkdf-sha256-chacha20-poly1305', share: new Uint8Array(1216).fill(1) };
    const both = { shares: [hybrid, ...offer.message.shares] };
    const { answer } = answerOffer(SessionOffer.decode(SessionOffer.encode(both)), parties, seededRandom(2));
    expect(answer.share?.algorithm).toBe(sealAlgorithm);
    // A way that was taken out of the offer, or put in, on the way is noticed by whoever offered.
    expect(refusalOf(() => offer.accept(SessionAnswer.decode(SessionAnswer.encode(answer)), parties))).toBe(
      'message.signature',
    );
  });
});

describe('an offer of a session', () => {
  const shares = (...list: { algorithm: string; share: Uint8Array }[]) =>
    SessionOffer.decode(SessionOffer.encode({ shares: list }));
  const refused = (offer: SessionOffer) => refusalOf(() => answerOffer(offer, parties, seededRandom(1)));

  it('is refused when nothing that it names is known', () => {
    expect(refused(shares())).toBe('seal.algorithm');
    expect(refused(shares({ algorithm: 'x448', share: new Uint8Array(56) }))).toBe('seal.algorithm');
    expect(refused(shares({ algorithm: '', share: new Uint8Array(32) }))).toBe('seal.algorithm');
  });

  it.each([0, 31, 33, 1216])('is refused when its share has %i bytes', (length) => {
    expect(refused(shares({ algorithm: sealAlgorithm, share: new Uint8Array(length).fill(9) }))).toBe(
      'message.malformed',
    );
  });

  // RFC 7748 §6.1 and the points of small order listed at cr.yp.to/ecdh.html#validate.
  it.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('is refused when its share is a point that gives everybody the same key (%s)', (hex) => {
    expect(refused(shares({ algorithm: sealAlgorithm, share: Buffer.from(hex, 'hex') }))).toBe('message.malformed');
  });

  it('is refused when it names more ways than anybody has', () => {
    const one = { algorithm: 'x', share: new Uint8Array(1) };
    expect(refused(shares(...Array.from({ length: 17 }, () => one)))).toBe('message.malformed');
  });

  it('is answered once: its secret half is gone then, and when it was given up', () => {
    const { offer, answer } = agreed();
    expect(refusalOf(() => offer.accept(answer, parties))).toBe('closed');
    const given = new KeyOffer(seededRandom(5));
    given.end();
    expect(refusalOf(() => given.accept(answer, parties))).toBe('closed');
  });
});
