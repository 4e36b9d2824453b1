import { expect, test } from 'vitest';
import { submit } from '../../../src/cli/analyze/submit.ts';
import type { ApiClient } from '../../../src/cli/client/index.ts';

const never = new AbortController().signal;
const picture = { bytes: Uint8Array.of(1), mediaType: 'image/jpeg' };
const wanted = { pipeline: 'detect', deadlineMs: 120_000 };

/** A client that gets these answers, one a call. */
const answering = (...answers: object[]) => ({ call: async () => answers.shift() }) as unknown as ApiClient;

test.each([
  ['waits for a device', { id: 'tsk_1', state: 'queued', reason: 'attic is draining' }, ['attic is draining']],
  ['runs', { id: 'tsk_1', state: 'running' }, []],
])('a task that %s tells a person no more than why it waits', async (_, first, said) => {
  const heard: string[] = [];
  const api = answering(first, { id: 'tsk_1', state: 'succeeded' });
  const task = await submit(api, picture, wanted, never, (reason) => heard.push(reason));
  expect([task.state, heard]).toEqual(['succeeded', said]);
});
