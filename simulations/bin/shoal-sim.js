#!/usr/bin/env node
// A file that exists before the first build, so that npm can link it.
await import('../dist/main.js');
