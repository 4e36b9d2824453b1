import type { ModelVariant } from './manifest.ts';

/** The weights, the copies of them that a runtime packs, and what it computes in: all of it grows with the file. */
const timesTheFile = 5;
/** What a runtime takes whatever it runs, bytes. */
const runtimeBytes = 16 * 1024 * 1024;

/** Memory that a variant is taken to need while it is loaded, until a device has measured it; bytes. Generous: too little ends the process. */
export function assumedMemoryBytes({ sizeBytes }: Pick<ModelVariant, 'sizeBytes'>): number {
  return timesTheFile * sizeBytes + runtimeBytes;
}
