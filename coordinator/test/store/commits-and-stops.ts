import { systemClock } from '@shoal/protocol/real';
import { SqliteStore } from '../../src/store/sqlite/index.ts';
import { aTask } from '../support/builders.ts';

// A process that commits enough for a checkpoint, stops its store and says so.

const store = new SqliteStore(systemClock, { path: process.argv[2] ?? '' });
await store.start(new AbortController().signal);
for (let number = 0; number < 12; number++) {
  await store.commit([{ kind: 'task', task: aTask({ id: `tsk_${number}`, reason: 'x'.repeat(500_000) }) }]);
}
await store.stop();
process.stdout.write('stopped\n');
