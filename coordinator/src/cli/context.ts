import { asShoalError, redactWords } from '@shoal/protocol';
import { type ApiClient, type ConnectionOptions, connect } from './client/index.ts';
import { type Paint, paintFor } from './output/index.ts';
import type { World } from './world.ts';

export interface ClientOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** What a client command works with. */
export interface Context {
  readonly world: World;
  readonly api: ApiClient;
  readonly paint: Paint;
  readonly json: boolean;
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** One JSON document with `--json`, else the text. */
  readonly show: (value: unknown, text: () => string) => void;
}

export async function openContext(options: ClientOptions, world: World): Promise<Context> {
  const print = (text: string) => void world.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`);
  const json = options.json ?? false;
  return {
    world,
    api: await connect(options, world),
    paint: paintFor(world.stdout, world.env),
    json,
    print,
    show: (value, text) => print(json ? JSON.stringify(value, undefined, 2) : text()),
  };
}

/** Says what went wrong, for a person or a program. */
export function reportError(thrown: unknown, world: World, json: boolean): void {
  const { code, message, facts } = asShoalError(thrown);
  const text = json
    ? `${JSON.stringify({ error: { code, message, facts } }, undefined, 2)}\n`
    : `${paintFor(world.stderr, world.env)('red', 'shoal:')} ${message}\n`;
  (json ? world.stdout : world.stderr).write(redactWords(text));
}
