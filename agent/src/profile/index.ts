export { confidenceOf } from './confidence.ts';
export { fingerprintOf } from './fingerprint.ts';
export { type Measured, type MeasureOptions, type MeasureVariant, measureHere } from './measure.ts';
export { ProfileBook } from './profile-book.ts';
export { Profiler, type ProfilerOptions } from './profiler.ts';
