import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bundle } from './pack/bundle.ts';
import { addEngine } from './pack/engine.ts';
import { thirdParty } from './pack/licences.ts';
import { addPage } from './pack/page.ts';
import { type Program, programs } from './pack/programs.ts';

/*
 * What `npm pack` runs in a workspace before it packs: writes `bundle/`, a program with everything in it that no registry has (docs/decisions/0013).
 * `SHOAL_ENGINE=linux-arm64 npm pack -w agent` packs for another machine, `SHOAL_ENGINE=none` without ONNX Runtime.
 */
const root = join(import.meta.dirname, '..');
const workspace = basename(process.cwd());
const made = join(root, workspace, `bundle.${process.pid}`);
const place = join(root, workspace, 'bundle');

const licence = (folder: string) => copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
const program = programs[workspace];
await (program ? packProgram(program) : licence(join(root, workspace, 'dist')));

async function packProgram(packed: Program): Promise<void> {
  try {
    await mkdir(made, { recursive: true });
    await licence(made);
    const packages = await bundle(root, workspace, packed, made);
    const pagePackages = packed.page === undefined ? [] : await addPage(root, packed.page, made);
    const carried = [...new Set([...packages, ...pagePackages])].sort();
    await writeFile(join(made, 'THIRD-PARTY.txt'), await thirdParty(carried));
    const engine = packed.engine ? await addEngine(root, made, process.env['SHOAL_ENGINE']) : 'none';
    process.stderr.write(`${workspace}: bundled with ${carried.length} packages; engine: ${engine}\n`);
    await rm(place, { recursive: true, force: true });
    await rename(made, place);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
