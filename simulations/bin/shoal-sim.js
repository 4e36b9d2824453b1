#!/usr/bin/env node
// A file that exists before the first build, so that npm can link it.
import { existsSync } from 'node:fs';

// In the repository what tsc built; in what `npm pack` made of it, the bundle.
await import(existsSync(new URL('../dist/main.js', import.meta.url)) ? '../dist/main.js' : '../bundle/main.js');
