#!/usr/bin/env node
// A file that exists before the first build, so that npm can link it.
import { existsSync } from 'node:fs';

// Looked at before anything is loaded: an old Node would only name the module that it has not got.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `shoal needs Node 22.13 or newer, this is ${process.versions.node}. Install it from https://nodejs.org; in a clone of Shoal: npx shoal\n`,
  );
  process.exit(1);
}
// In the repository what tsc built; in what `npm pack` made of it, the bundle.
await import(existsSync(new URL('../dist/main.js', import.meta.url)) ? '../dist/main.js' : '../bundle/main.js');
