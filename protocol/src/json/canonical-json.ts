import { ShoalError } from '../errors/index.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Deeper than anything that is meant; and no deeper than every machine's stack. */
const mostLevels = 100;

/**
 * JSON Canonicalization Scheme (RFC 8785): keys sorted by UTF-16 code units, no white space, ECMAScript numbers. The same value
 * has the same bytes everywhere, so that it can be hashed. Members that are `undefined` are left out.
 * @throws `defect` for what JSON cannot say: NaN, Infinity, functions, half a surrogate pair, objects with a class, more than 100 levels.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, level: number): string {
  if (typeof value === 'string') return writeText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw cannotSay(String(value));
    return String(value);
  }
  if (level >= mostLevels) throw cannotSay(`more than ${mostLevels} levels`);
  if (Array.isArray(value)) return writeItems(value, level + 1);
  if (typeof value === 'object' && isPlain(value)) return writeMembers(value, level + 1);
  throw cannotSay(`a ${typeof value}`);
}

function writeItems(items: readonly unknown[], level: number): string {
  let text = '';
  // By number: a hole is not skipped, it is refused as `undefined`.
  for (let i = 0; i < items.length; i++) text += (i === 0 ? '' : ',') + write(items[i], level);
  return `[${text}]`;
}

function writeMembers(value: { readonly [key: string]: unknown }, level: number): string {
  let text = '';
  for (const key of inOrder(Object.keys(value))) {
    const member = value[key];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${writeText(key)}:${write(member, level)}`;
  }
  return `{${text}}`;
}

/** Keys that most objects have fewer of than this: they are put in order where they are, which takes one look when they are so already. */
const fewKeys = 32;

function inOrder(keys: string[]): readonly string[] {
  if (keys.length > fewKeys) return keys.sort();
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string;
    let place = i;
    for (; place > 0 && (keys[place - 1] as string) > key; place--) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}

/** ASCII of which nothing has to be escaped: nearly every text there is. */
const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** RFC 8785 §3.2.2.2: text that is not Unicode ends it. */
function writeText(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw cannotSay('half a surrogate pair');
  return JSON.stringify(text);
}

function isPlain(value: object): value is { readonly [key: string]: unknown } {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function cannotSay(what: string): ShoalError {
  return new ShoalError('defect', `JSON cannot say ${what}`);
}
