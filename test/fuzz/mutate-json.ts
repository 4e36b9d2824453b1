import type { Dice } from './dice.ts';
import { troublesomeTexts } from './mutate-text.ts';

type Container = unknown[] | Record<string, unknown>;

interface Place {
  readonly within: Container;
  readonly key: string | number;
}

/** Deeper than what a recursion over it survives. */
const veryDeep = 20_000;

/** Changes what a document says and leaves it a document. @returns `undefined` when it is none, or too deep to be written again. */
export function mutateJson(bytes: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array | undefined {
  const document = parsed(bytes);
  if (document === undefined) return undefined;
  try {
    return changed([document], dice, other);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function changed(root: unknown[], dice: Dice, other: Uint8Array): Uint8Array {
  const { within, key } = dice.pick(placesIn(root));
  const value = Reflect.get(within, key);
  switch (dice.below(8)) {
    case 0:
      Reflect.set(within, key, strangeValue(dice));
      break;
    case 1:
      if (within !== root) remove(within, key);
      break;
    case 2:
      add(value, dice.pick(troublesomeTexts), strangeValue(dice));
      break;
    case 3:
      Reflect.set(within, key, valueIn(parsed(other) ?? [], dice));
      break;
    case 4:
      Reflect.set(within, key, valueIn(root, dice));
      break;
    case 5:
      if (typeof value === 'string') Reflect.set(within, key, strangeText(value, dice));
      if (typeof value === 'number') Reflect.set(within, key, strangeNumber(value, dice));
      break;
    case 6:
      if (Array.isArray(value))
        Reflect.set(
          within,
          key,
          Array.from({ length: dice.length() }, () => value[0]),
        );
      break;
    default:
      return wrapped(root, within, key, dice);
  }
  return Buffer.from(JSON.stringify(root[0]) ?? 'null');
}

/** Around one value so many levels that `JSON.stringify` could not write them. */
function wrapped(root: unknown[], within: Container, key: string | number, dice: Dice): Uint8Array {
  const levels = dice.oneIn(20) ? veryDeep : dice.below(300);
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ]);
  const inner = JSON.stringify(Reflect.get(within, key)) ?? 'null';
  const mark = '\u0001here\u0001';
  Reflect.set(within, key, mark);
  const text = JSON.stringify(root[0]).replace(
    JSON.stringify(mark),
    () => open.repeat(levels) + inner + close.repeat(levels),
  );
  return Buffer.from(text);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** Every place of a value, but for those very deep down. */
function placesIn(root: Container): readonly Place[] {
  const places: Place[] = [];
  const visit = (within: Container, level: number) => {
    for (const key of Object.keys(within)) {
      places.push({ within, key });
      const value: unknown = Reflect.get(within, key);
      if (typeof value === 'object' && value !== null && level < 20 && places.length < 2_000)
        visit(value as Container, level + 1);
    }
  };
  visit(root, 0);
  return places;
}

function valueIn(document: unknown, dice: Dice): unknown {
  const { within, key } = dice.pick(placesIn([document]));
  return structuredClone(Reflect.get(within, key));
}

function remove(within: Container, key: string | number): void {
  if (Array.isArray(within)) within.splice(Number(key), 1);
  else delete within[key];
}

/** A member that is really there, `__proto__` too. */
function add(to: unknown, name: string, value: unknown): void {
  if (Array.isArray(to)) to.push(value);
  else if (typeof to === 'object' && to !== null)
    Object.defineProperty(to, name, { value, enumerable: true, configurable: true, writable: true });
}

function strangeValue(dice: Dice): unknown {
  const values: readonly unknown[] = [
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    {},
    [],
    [[]],
    [null],
    { length: 1e9 },
    { toString: 1 },
  ];
  return dice.oneIn(3) ? dice.pick(troublesomeTexts) : structuredClone(dice.pick(values));
}

function strangeText(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1);
  switch (dice.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + dice.pick(troublesomeTexts) + text.slice(at);
    case 2:
      return text.toUpperCase();
    default:
      return text.repeat(dice.length() % 200);
  }
}

function strangeNumber(value: number, dice: Dice): number {
  return dice.pick([
    -value,
    value + 1,
    value - 1,
    value * 1e6,
    value / 3,
    0,
    -0,
    2 ** 31,
    2 ** 32,
    2 ** 53 + 2,
    5e-324,
    1e308,
  ]);
}
