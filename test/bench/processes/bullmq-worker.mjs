// A BullMQ worker in a process of its own that does nothing with each job: the opponent of the `dispatch` benchmark.
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [port, concurrency] = process.argv.slice(2).map(Number);
const worker = new Worker('noop', async () => ({ kind: 'empty' }), {
  connection: new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null }),
  concurrency,
});
await worker.waitUntilReady();
process.stdout.write('ready\n');
process.on('SIGTERM', async () => {
  await worker.close(true);
  process.exit(0);
});
