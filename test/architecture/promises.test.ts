import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { floatingPromises } from './promise-rules.ts';
import { codePaths, repositoryTree } from './source-tree.ts';

const root = join(import.meta.dirname, '../..');

describe('no promise floats, whichever workspace it comes from', () => {
  test('in this repository', () => {
    const paths = codePaths(repositoryTree()).filter((path) => path.endsWith('.ts'));
    expect(floatingPromises(root, paths)).toEqual([]);
  }, 120_000);

  test('one that comes through the door of another workspace is found', () => {
    const code = `
      import { type Clock, delay } from '@shoal/protocol';
      export async function f(clock: Clock, later?: () => Promise<void>): Promise<void> {
        delay(clock, 'floats', 1);
        later?.();
        [1].map(() => delay(clock, 'list', 1));
        delay(clock, 'only tidied up after', 1).finally(() => {});
        delay(clock, 'handled and tidied up after', 1).then(() => {}, () => {}).finally(() => {});
        clock.nowMs();
        void delay(clock, 'left on purpose', 1);
        await delay(clock, 'awaited', 1);
        await Promise.all([delay(clock, 'handed on', 1)]);
        delay(clock, 'caught', 1).catch(() => {});
        const kept = delay(clock, 'kept', 1);
        await kept;
      }`;
    const path = 'agent/src/made-up-for-this-test.ts';
    const lines = floatingPromises(root, [path], new Map([[join(root, path), code]]));
    expect(lines.map((line) => line.split(' ')[0])).toEqual([4, 5, 6, 7].map((line) => `${path}:${line}`));
  }, 60_000);
});
