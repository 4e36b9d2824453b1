import { systemClock } from '@shoal/protocol/real';
import { SqliteStore } from '../../src/store/sqlite/index.ts';
import { aTask } from '../support/builders.ts';

// A process that commits half a megabyte at a time and prints the number of each task once it is durable, until it is killed.

const store = new SqliteStore(systemClock, { path: process.argv[2] ?? '' });
await store.start(new AbortController().signal);
for (let number = 0; ; number++) {
  const id = `tsk_${String(number).padStart(4, '0')}`;
  await store.commit([{ kind: 'task', task: aTask({ id, reason: 'x'.repeat(500_000) }) }]);
  process.stdout.write(`${id}\n`);
}
