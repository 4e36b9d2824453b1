import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, readManifest } from './bundle.ts';

const licenceFile = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** The licences of the packages whose code is in a bundle, as their authors ask: with it. */
export async function thirdParty(folders: readonly string[]): Promise<string> {
  const sections = await Promise.all(folders.map(section));
  return [
    'This package contains code of the packages below, each under the licence that follows its name.\n',
    ...sections.sort(),
  ].join('\n');
}

async function section(folder: string): Promise<string> {
  const manifest = await readManifest(folder);
  const names = (await readdir(folder)).filter((name) => licenceFile.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const licence = texts.length > 0 ? texts.join('\n') : statedLicence(manifest);
  return `${'='.repeat(80)}\n${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n\n${licence.trim()}\n`;
}

/** Some packages name a licence and carry no text of it. */
function statedLicence({ name, license, author }: Manifest): string {
  const holder = (typeof author === 'object' ? author.name : author) ?? `the authors of ${name}`;
  if (license === 'MIT') return `Copyright (c) ${holder}\n\n${mit}`;
  if (license?.includes('Apache-2.0'))
    return 'Apache License, Version 2.0: its text is in the file LICENSE beside this one.';
  throw new Error(`${name} carries no licence text and names ${license}: write down what it asks for in scripts/pack`);
}

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
