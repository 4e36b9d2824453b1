export { BoundedQueue, type BoundedQueueOptions, type OverflowPolicy } from './bounded-queue.ts';
export { type Clock, delay, every } from './clock.ts';
export { type LifecycleState, type Service, ServiceGroup, type ServiceGroupOptions } from './lifecycle.ts';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogRecord,
  logLevels,
  silentLogger,
} from './logger.ts';
export { newId, type Random, seededRandom } from './random.ts';
export { type BackoffOptions, backoffMs, defaultBackoff, type RetryOptions, retry } from './retry.ts';
