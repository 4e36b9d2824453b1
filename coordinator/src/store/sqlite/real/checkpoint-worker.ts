import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointReply, CheckpointRequest } from './checkpoint-thread.ts';

// The entry of the thread that checkpoints, on a connection of its own.

const database = new DatabaseSync(workerData as string);
database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');

parentPort?.on('message', (request: CheckpointRequest) => {
  if (request === 'checkpoint') parentPort?.postMessage(checkpoint());
  else {
    database.close();
    // With nothing to listen to, the thread ends.
    parentPort?.close();
  }
});

function checkpoint(): CheckpointReply {
  try {
    const { busy } = database.prepare('PRAGMA wal_checkpoint(RESTART)').get() as { busy: number };
    if (busy !== 0) return { errcode: 5, message: 'the log is in use' };
    // The first commit of a log that is begun anew writes and flushes its head (sqlite.org/walformat.html): here, rather than in the thread of the event loop.
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    database.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${version}; COMMIT`);
    return {};
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    return { message, ...(errcode !== undefined && { errcode }) };
  }
}
