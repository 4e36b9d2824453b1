import { isErrorCode, ShoalError } from '@shoal/protocol';
import type { Task } from '../../http/index.ts';
import type { ApiClient } from '../client/index.ts';
import type { AnalyzeBytes } from './inputs.ts';

export interface AnalyzeTask {
  readonly pipeline: string;
  readonly model?: string;
  readonly variant?: string;
  readonly minScore?: number;
  readonly device?: string;
  readonly deadlineMs: number;
}

const waitMs = 60_000;
/** How long a task may wait for a device before the person is told why. */
const patienceMs = 2_000;

/** Uploads one picture and waits for its end; `onWait` hears why it is not begun. @throws what the task failed with */
export async function submit(
  api: ApiClient,
  { bytes, mediaType }: AnalyzeBytes,
  task: AnalyzeTask,
  signal: AbortSignal,
  onWait: (reason: string) => void = () => {},
): Promise<Task> {
  const form = new FormData();
  const { minScore, ...options } = task;
  for (const [name, value] of Object.entries(options)) if (value !== undefined) form.set(name, String(value));
  if (minScore !== undefined) form.set('parameters', JSON.stringify({ minScore }));
  form.set('file', new Blob([bytes], { type: mediaType }), 'input');
  let answer = await api.call<Task>('POST', '/v1/tasks', { body: form, query: { wait: patienceMs }, signal });
  if (answer.state === 'queued' && answer.reason !== undefined) onWait(answer.reason);
  while (answer.state === 'queued' || answer.state === 'running') {
    answer = await api.call<Task>('GET', `/v1/tasks/${answer.id}`, { query: { wait: waitMs }, signal });
  }
  if (answer.state === 'succeeded') return answer;
  const code = answer.errorCode !== undefined && isErrorCode(answer.errorCode) ? answer.errorCode : 'engine.failed';
  throw new ShoalError(code, answer.reason ?? `the task ${answer.id} is ${answer.state}`, { task: answer.id });
}
