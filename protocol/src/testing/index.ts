export { CountingClock } from './counting-clock.ts';
export type { FuzzForm, FuzzTarget } from './fuzz-target.ts';
export { type Heard, type HeardFrame, listenTo } from './heard-frames.ts';
export { type ConformanceCase, type ConformanceOptions, type LinkWorld, linkConformance } from './link-conformance.ts';
export { MemorySequenceStore } from './memory-sequence-store.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
