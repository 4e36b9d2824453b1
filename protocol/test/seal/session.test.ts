import { Session, ShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../support/refusals.ts';

const key = (byte: number) => new Uint8Array(32).fill(byte);
const id = new Uint8Array(16).fill(9);

/** The two ends of one session. */
function aSession() {
  return {
    here: new Session(id, { send: key(1), receive: key(2) }),
    there: new Session(id, { send: key(2), receive: key(1) }),
  };
}

const parts = [Buffer.from('a message'), Buffer.from('a picture'), Buffer.from('')];

describe('a session', () => {
  it('gives back what was sealed, whatever it was', () => {
    const { here, there } = aSession();
    let sequence = 0;
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { minLength: 1, maxLength: 6 }), (list) => {
        sequence += 1;
        const sealed = here.seal(sequence, list);
        expect(sealed.parts.map(({ length }) => length)).toEqual(list.map(({ length }) => length));
        expect(there.open(sequence, sealed).map((part) => [...part])).toEqual(list.map((part) => [...part]));
      }),
    );
  });

  it('opens nothing of which any byte was changed', () => {
    const { here, there } = aSession();
    const { parts: sealed, tag } = here.seal(1, parts);
    const all = [...sealed, tag];
    for (const [which, part] of all.entries()) {
      for (let at = 0; at < part.length; at++) {
        for (const flip of [1, 0x80, 0xff]) {
          const other = all.map((each, place) =>
            place === which ? Uint8Array.from(each, (byte, i) => (i === at ? byte ^ flip : byte)) : each,
          );
          const changed = { parts: other.slice(0, -1), tag: other.at(-1) ?? tag };
          expect(refusalOf(() => there.open(1, changed))).toBe('message.signature');
        }
      }
    }
    expect(there.open(1, { parts: sealed, tag }).map(String)).toEqual(parts.map(String));
  });

  it('opens nothing that was cut, or whose parts were swapped, joined, divided, left out or added', () => {
    const { here, there } = aSession();
    const { parts: sealed, tag } = here.seal(1, parts);
    const [a = tag, b = tag, c = tag] = sealed;
    const changes = [
      [a.subarray(1), b, c],
      [a, b.subarray(0, -1), c],
      [b, a, c],
      [Buffer.concat([a, b]), c],
      [Buffer.concat([a, b]), c, c],
      [a.subarray(0, 3), Buffer.concat([a.subarray(3), b]), c],
      [a, c, b],
      [a, b],
      [a, b, c, c],
      [],
    ];
    for (const other of changes)
      expect(refusalOf(() => there.open(1, { parts: other, tag }))).toBe('message.signature');
    for (const length of [0, 4, 8, 12, 15]) {
      expect(refusalOf(() => there.open(1, { parts: sealed, tag: tag.subarray(0, length) }))).toBe('message.signature');
    }
  });

  it('opens nothing under another sequence, in the other direction or in another session', () => {
    const { here, there } = aSession();
    const sealed = here.seal(5, parts);
    for (const sequence of [0, 4, 6, 5 + 2 ** 32]) {
      expect(refusalOf(() => there.open(sequence, sealed))).toBe('message.signature');
    }
    expect(refusalOf(() => here.open(5, sealed))).toBe('message.signature');
    const other = new Session(id, { send: key(3), receive: key(4) });
    expect(refusalOf(() => other.open(5, sealed))).toBe('message.signature');
  });

  it('never uses a sequence twice: it is the nonce', () => {
    const { here } = aSession();
    here.seal(5, parts);
    for (const sequence of [5, 4, 0, -1, 5.5, Number.NaN, 2 ** 53]) {
      expect(() => here.seal(sequence, parts)).toThrow(ShoalError);
    }
    expect(() => here.seal(6, parts)).not.toThrow();
  });

  it('opens nothing any more once it has ended, and its keys are gone', () => {
    const keys = { send: key(2), receive: key(1) };
    const there = new Session(id, keys);
    const sealed = aSession().here.seal(1, parts);
    there.end();
    expect(refusalOf(() => there.open(1, sealed))).toBe('seal.session');
    expect(refusalOf(() => there.seal(1, parts))).toBe('seal.session');
    expect([...keys.send, ...keys.receive].every((byte) => byte === 0)).toBe(true);
  });

  it('counts the frames that it was used for', () => {
    const { here, there } = aSession();
    there.open(1, here.seal(1, parts));
    there.seal(9, parts);
    expect([here.frames, there.frames]).toEqual([1, 2]);
  });
});
