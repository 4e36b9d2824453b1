import {
  CameraReport,
  type CameraReportInit,
  type PayloadInit,
  TaskOutcome,
  type TaskOutcomeInit,
} from '@shoal/protocol';
import type { OutboxEntry, OutboxKind } from '../store/index.ts';

/** What an agent has made and the coordinator must get. */
export type Result =
  | { readonly kind: 'task-outcome'; readonly message: TaskOutcomeInit }
  | { readonly kind: 'camera-report'; readonly message: CameraReportInit };

const nothing = new Uint8Array();

/** What ids and field tags add to the two parts that count, bytes; a little more than ever. */
const overheadBytes = 256;

export function sizeOfResult({ message }: Result): number {
  return (message.result?.length ?? 0) + (message.attestation?.length ?? 0) + overheadBytes;
}

export function toMessage(result: Result): PayloadInit {
  return result.kind === 'task-outcome' ? { taskOutcome: result.message } : { cameraReport: result.message };
}

/** Apart: the statement, which is never given up, and the payload, which may have to be. */
export function toEntry(id: number, result: Result): OutboxEntry {
  const payload = result.message.result ?? nothing;
  const statement =
    result.kind === 'task-outcome'
      ? TaskOutcome.encode({ ...result.message, result: nothing })
      : CameraReport.encode({ ...result.message, result: nothing });
  return { id, kind: result.kind, statement, payload };
}

export function fromEntry({ kind, statement, payload }: OutboxEntry): Result {
  return kind === 'task-outcome'
    ? { kind, message: { ...TaskOutcome.decode(statement), result: payload } }
    : { kind, message: { ...CameraReport.decode(statement), result: payload } };
}

/** For a log line: which work a result is of. */
export function workOf({ kind, message }: Result): { readonly kind: OutboxKind; readonly work: string } {
  return kind === 'task-outcome'
    ? { kind, work: message.attemptId ?? '' }
    : { kind, work: `${message.cameraId} ${message.number}` };
}
