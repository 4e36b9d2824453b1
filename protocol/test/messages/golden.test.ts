import { fromHex, toHex } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { codecs } from '../support/codecs.ts';
import { readGolden } from './golden-file.ts';
import { samples } from './samples.ts';

const golden = await readGolden();
const typeOf = (name: string) => name.split('/')[0] ?? name;

function codecOf(name: string) {
  const codec = codecs.get(typeOf(name));
  if (!codec) throw new Error(`no message type ${typeOf(name)}`);
  return codec;
}

/** Buffers as plain arrays of bytes, and class instances as plain objects, defaults left out. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  // A list that is not there is read as an empty one.
  const members = Object.entries(value).filter(([, member]) => !(Array.isArray(member) && member.length === 0));
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

/** The fields that a type has, as its decoder knows them. */
function fieldsOf(name: string): string[] {
  const decoded = Object(codecOf(name).decode(new Uint8Array()));
  const prototype = Object.getPrototypeOf(decoded);
  return [...new Set([...Object.keys(prototype), ...Object.keys(decoded)])].filter(
    (key) => typeof prototype[key] !== 'function' && Object.getOwnPropertyDescriptor(prototype, key)?.get === undefined,
  );
}

describe('golden bytes', () => {
  it('exist for every sample and only for samples (add-golden.ts adds new ones)', () => {
    expect(Object.keys(golden).sort()).toEqual([...samples.keys()].sort());
  });

  it('exist for every message type', () => {
    expect([...new Set([...samples.keys()].map(typeOf))].sort()).toEqual([...codecs.keys()].sort());
  });

  it.each([...codecs.keys()])('cover every field of %s', (type) => {
    const set = [...samples].filter(([name]) => typeOf(name) === type).flatMap(([, sample]) => Object.keys(sample));
    expect([...new Set(set)].sort()).toEqual(fieldsOf(type).sort());
  });

  it.each([...samples])('of %s are still what is written', (name, sample) => {
    expect(toHex(codecOf(name).encode(sample))).toBe(golden[name]);
  });

  it.each([...samples])('of %s are still read as what they were', (name, sample) => {
    const bytes = fromHex(golden[name] ?? '') ?? new Uint8Array();
    expect(plain(codecOf(name).decode(bytes))).toEqual(plain(sample));
  });
});
