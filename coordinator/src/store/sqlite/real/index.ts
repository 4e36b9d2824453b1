export { openCheckpointThread } from './checkpoint-thread.ts';
