#!/usr/bin/env node
// A file that exists before the first build, so that npm can link it.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Run by plain JavaScript first: an old Node would only say which of its modules it has not got.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `shoal-agent needs Node 22.13 or newer, this is ${process.versions.node}. Install it from https://nodejs.org; in a clone of Shoal: npx shoal-agent\n`,
  );
  process.exit(1);
}

// An agent is small and quick to start rather than quick at JavaScript: pictures, inference and signatures are native code. Set before anything else
// is loaded, and measured (`npm run bench -- footprint`, MB resident):
for (const flag of [
  // The young generation stays as small as it starts: 4 MB. Frames live outside of the heap, so a larger one would gain nothing.
  '--semi-space-growth-factor=1',
  // Compilers that would optimise the module loader at every start, and whose own code then stays in memory: 8 MB. The middle one is switched on
  // again once the agent has joined (run-main.ts): the heads of detectors need one, and it makes them as fast as the top one does.
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  // For the inference thread, which tidies up once a model is loaded (2 MB), and for the agent once it has joined (3 MB).
  '--expose-gc',
]) {
  setFlagsFromString(flag);
}

// What was compiled once is kept beside the models: 20 ms of a start. Not in the folder for temporary files that Node would take, where others write.
const { enableCompileCache } = await import('node:module');
const { SHOAL_CACHE_DIR, XDG_CACHE_HOME } = process.env;
const cache = SHOAL_CACHE_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'shoal');
enableCompileCache(join(cache, 'compiled'));

// In the repository what tsc built; in what `npm pack` made of it, the bundle.
await import(existsSync(new URL('../dist/main.js', import.meta.url)) ? '../dist/main.js' : '../bundle/main.js');
