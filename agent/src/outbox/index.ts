export { type Courier, Outbox, type OutboxCounts, type OutboxOptions, type Result } from './outbox.ts';
