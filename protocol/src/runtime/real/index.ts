export { consoleLogSink } from './console-log-sink.ts';
export { interruption } from './interruption.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
