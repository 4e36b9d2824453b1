import { systemClock } from '@shoal/protocol/real';
import type { FileSource } from '../../src/manifest/index.ts';
import { aFetcher, noAbort } from './a-fetcher.ts';

/** A process of its own for the tests: fetches a source into a cache and prints how far it is, then the path. */
const [, , directory = '', source = '{}'] = process.argv;
// Nothing hurries here: a download that is held back until another process has come up must not be given up for idle.
const { fetcher } = await aFetcher({ directory, clock: systemClock });
process.stdout.write('ready\n');
const onProgress = ({ receivedBytes }: { receivedBytes: number }) => {
  process.stdout.write(`received ${receivedBytes}\n`);
};
const path = await fetcher.fetch(JSON.parse(source) as FileSource, 'a model', { ...noAbort, onProgress });
process.stdout.write(`${path}\n`);
