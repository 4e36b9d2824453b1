import { describe, expect, test } from 'vitest';
import { ioInTheCore } from './core-rules.ts';
import { aTree, repositoryTree } from './source-tree.ts';

const inCore = (code: string) => ioInTheCore(aTree({ 'agent/src/work/a.ts': code }));

describe('the core does no I/O', () => {
  test('in this repository', () => {
    expect(ioInTheCore(repositoryTree())).toEqual([]);
  });

  test.each([
    ['Date.now()', 'Date.now (time)'],
    ['new Date()', 'new Date (time)'],
    ['Date()', 'new Date (time)'],
    ['performance.now()', 'performance (time)'],
    ['setTimeout(f, 1)', 'setTimeout (time)'],
    ['const timer = setInterval', 'setInterval (time)'],
    ['const timers = { setImmediate }', 'setImmediate (time)'],
    ['globalThis.setTimeout(f, 1)', 'setTimeout (time)'],
    ['AbortSignal.timeout(5)', 'AbortSignal.timeout (time)'],
    ['Math.random()', 'Math.random (random)'],
    ['const { random } = { random: Math.random }', 'Math.random (random)'],
    ['crypto.randomUUID()', 'crypto (random)'],
    [`import { randomBytes as bytes } from 'node:crypto'`, 'randomBytes of node:crypto (random)'],
    ['process.env.HOME', 'process (process)'],
    ['await fetch(url)', 'fetch (network)'],
    ['new WebSocket(url)', 'WebSocket (network)'],
    [`import { readFile } from 'node:fs/promises'`, 'node:fs/promises (files)'],
    [`import net from 'node:net'`, 'node:net (network)'],
    [`export { spawn } from 'node:child_process'`, 'node:child_process (children)'],
    [`await import('node:worker_threads')`, 'node:worker_threads (children)'],
  ])('%s is found', (code, what) => {
    expect(inCore(code)).toEqual([`agent/src/work/a.ts:1 uses ${what}: hand it in through a port`]);
  });

  test.each([
    'new Date(nowMs).toISOString()',
    'Math.max(1, 2)',
    'deps.fetch(url)',
    'function get(fetch: typeof globalThis.fetch) { return fetch(url); }',
    'interface Clock { setTimeout: number; now: typeof Date.now }',
    'const ports = { fetch: deps.get }',
    `import { createHash } from 'node:crypto'`,
    '// Date.now() would be wrong here',
    `const text = 'process.env'`,
  ])('%s is a calculation', (code) => {
    expect(inCore(code)).toEqual([]);
  });

  test('an adapter may do what the table says, and no more', () => {
    const tree = aTree({
      'agent/src/main.ts': 'process.exit(Date.now())',
      'protocol/src/runtime/real/system-clock.ts': 'setTimeout(f, Date.now())',
      'protocol/src/link/mqtt/socket.ts': `import net from 'node:net'; Math.random();`,
      'agent/test/work/a.test.ts': 'Date.now()',
      'simulations/src/world.ts': 'Date.now()',
    });
    expect(ioInTheCore(tree)).toEqual([
      'protocol/src/link/mqtt/socket.ts:1 uses Math.random (random): hand it in through a port',
    ]);
  });
});
