import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** Compressed once, when it is built: a Raspberry Pi that serves it has other things to do. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  writeBundle: {
    // After the files of `public` are there.
    order: 'post',
    sequential: true,
    async handler({ dir = '' }, files) {
      const names = [...Object.keys(files), 'icon.svg'];
      for (const name of names) {
        const path = join(dir, name);
        const bytes = await readFile(path);
        const all = [
          ['br', await promisify(brotliCompress)(bytes)],
          ['gz', await promisify(gzip)(bytes, { level: 9 })],
        ] as const;
        for (const [end, smaller] of all) if (smaller.length < bytes.length) await writeFile(`${path}.${end}`, smaller);
      }
    },
  },
};

const here = import.meta.dirname;

/** Whose code is in the page: for the licences that a package carries (scripts/pack/page.ts). */
const moduleList: Plugin = {
  name: 'module-list',
  apply: 'build',
  async writeBundle({ dir = '' }, files) {
    const modules = Object.values(files).flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []));
    const foreign = modules.filter((id) => id.includes('/node_modules/') && !id.startsWith('\0'));
    const root = join(here, '../..');
    await writeFile(join(dir, 'modules.txt'), `${foreign.map((id) => relative(root, id)).join('\n')}\n`);
  },
};

export default defineConfig({
  root: here,
  resolve: {
    // From the sources: what tsc built may be old.
    conditions: ['source', 'browser', 'module', 'import', 'default'],
    // The rules of proofs are the protocol's own code. What it has of Node is this small there: src/proof.
    alias: {
      'node:crypto': join(here, 'src/proof/node-crypto.ts'),
      'node:buffer': join(here, 'src/proof/node-buffer.ts'),
    },
  },
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } }), compressed, moduleList],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Inlined files would be `data:` addresses, which the page's policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      transform: { inject: { Buffer: [join(here, 'src/proof/node-buffer.ts'), 'Buffer'] } },
      output: { entryFileNames: 'assets/[name]-[hash].js', chunkFileNames: 'assets/[name]-[hash].js' },
    },
  },
});
