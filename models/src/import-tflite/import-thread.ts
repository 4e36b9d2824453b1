import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isErrorCode, ShoalError } from '@shoal/protocol';
import type { ImportReply, ImportReport, ImportRequest } from './messages.ts';

/** Imports file to file: a port, since the work takes up to half a second of a core. */
export type TfliteImporter = (request: ImportRequest, signal: AbortSignal) => Promise<ImportReport>;

/**
 * Imports in a thread of its own, so that the event loop of the caller stays free.
 * @throws what {@link importTflite} throws, `io.failed`, `io.disk-full`, `aborted`.
 */
export const importInThread: TfliteImporter = (request, signal) => {
  signal.throwIfAborted();
  const entry = new URL(`./import-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
  const worker = new Worker(entry, { workerData: request, name: 'tflite-import' });
  return new Promise<ImportReport>((resolve, reject) => {
    const onAbort = () => {
      reject(new ShoalError('aborted', 'the import was stopped', {}, { cause: signal.reason }));
      void worker.terminate();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', (reply: ImportReply) => {
      if ('report' in reply) resolve(reply.report);
      else reject(new ShoalError(isErrorCode(reply.code) ? reply.code : 'defect', reply.message, reply.facts));
    });
    worker.once('error', (cause) =>
      reject(new ShoalError('defect', `the import thread failed: ${String(cause)}`, {}, { cause })),
    );
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', onAbort);
      reject(new ShoalError('defect', `the import thread ended with code ${code} and no answer`));
    });
  });
};
