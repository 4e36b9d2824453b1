import { type ErrorCode, ShoalError } from '../errors/index.ts';

/** A value of a document that somebody wrote and nobody has checked, and where it lies, so that every refusal names the field. */
export class JsonField {
  readonly path: string;
  readonly value: unknown;

  readonly #code: ErrorCode;

  /** @param code of the errors that say what is wrong with it. */
  constructor(path: string, value: unknown, code: ErrorCode) {
    this.path = path;
    this.value = value;
    this.#code = code;
  }

  /** An object with no other fields than these; those ending in `?` may be missing. */
  object<const Names extends readonly string[]>(...names: Names): Readonly<Record<BareName<Names[number]>, JsonField>> {
    const record = this.record();
    const known = new Map(names.map((name) => [name.replace('?', ''), name.endsWith('?')]));
    for (const name of Object.keys(record))
      if (!known.has(name))
        throw this.#child(name, undefined).wrong(`is not known here; known are ${[...known.keys()].join(', ')}`);
    for (const [name, optional] of known) {
      if (!optional && record[name] === undefined) throw this.#child(name, undefined).wrong('is missing');
    }
    const fields = Array.from(known.keys(), (name) => [name, this.#child(name, record[name])] as const);
    return Object.fromEntries(fields) as Record<BareName<Names[number]>, JsonField>;
  }

  /** An object whose field names are free. */
  entries(limit: number): [name: string, field: JsonField][] {
    const entries = Object.entries(this.record());
    if (entries.length > limit) throw this.wrong(`has ${entries.length} entries, more than ${limit}`);
    return entries.map(([name, value]) => [name, this.#child(name, value)]);
  }

  record(): Record<string, unknown> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.wrong('must be an object');
    return this.value as Record<string, unknown>;
  }

  list(least: number, most: number): JsonField[] {
    if (!Array.isArray(this.value)) throw this.wrong('must be a list');
    const { length } = this.value;
    if (length < least || length > most) throw this.wrong(`must have ${least} to ${most} entries, has ${length}`);
    return this.value.map((value, index) => new JsonField(`${this.path}[${index}]`, value, this.#code));
  }

  text(options: { readonly pattern?: RegExp; readonly maxLength?: number; readonly what?: string } = {}): string {
    const { pattern, maxLength = 500, what = `at most ${maxLength} characters` } = options;
    if (typeof this.value !== 'string' || this.value.length > maxLength || pattern?.test(this.value) === false) {
      throw this.wrong(`must be text: ${what}`);
    }
    return this.value;
  }

  oneOf<const T extends string | number>(...values: readonly T[]): T {
    const found = values.find((value) => value === this.value);
    if (found === undefined) throw this.wrong(`must be ${values.map((value) => JSON.stringify(value)).join(' or ')}`);
    return found;
  }

  number(least: number, most: number): number {
    if (typeof this.value !== 'number' || !(this.value >= least && this.value <= most)) {
      throw this.wrong(`must be a number from ${least} to ${most}`);
    }
    return this.value;
  }

  integer(least: number, most: number): number {
    if (!Number.isInteger(this.value)) throw this.wrong(`must be a whole number from ${least} to ${most}`);
    return this.number(least, most);
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.wrong('must be true or false');
    return this.value;
  }

  /** The outcome of `read` under `name`, or nothing when the field is missing: for fields that may be left out. */
  optional<Name extends string, T>(name: Name, read: (field: JsonField) => T): { readonly [K in Name]?: T } {
    return this.value === undefined ? {} : ({ [name]: read(this) } as { readonly [K in Name]?: T });
  }

  wrong(what: string): ShoalError {
    const shown = shownOf(this.value);
    return new ShoalError(this.#code, `${this.path} ${what}${shown === undefined ? '' : `; it is ${shown}`}`, {
      field: this.path,
    });
  }

  /** One field of an object, whatever it is. */
  member(name: string): JsonField {
    return this.#child(name, this.record()[name]);
  }

  #child(name: string, value: unknown): JsonField {
    return new JsonField(this.path === '' ? name : `${this.path}.${name}`, value, this.#code);
  }
}

/** The beginning of a value. What is nested without end, or holds itself, cannot be shown. */
function shownOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)?.slice(0, 80);
  } catch {
    return undefined;
  }
}

type BareName<Name extends string> = Name extends `${infer Bare}?` ? Bare : Name;
