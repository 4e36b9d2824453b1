/**
 * Adds the bytes of new samples to the golden file and never touches what stands there:
 * `node --conditions=source protocol/test/messages/add-golden.ts`
 */
import { toHex } from '@shoal/protocol';
import { codecs } from '../support/codecs.ts';
import { readGolden, writeGolden } from './golden-file.ts';
import { samples } from './samples.ts';

const golden = await readGolden();
const added = [...samples]
  .filter(([name]) => !Object.hasOwn(golden, name))
  .map(([name, sample]) => {
    const codec = codecs.get(name.split('/')[0] ?? name);
    if (!codec) throw new Error(`no message type for the sample ${name}`);
    return [name, toHex(codec.encode(sample))] as const;
  });
await writeGolden({ ...golden, ...Object.fromEntries(added) });
process.stdout.write(`added: ${added.map(([name]) => name).join(', ') || 'nothing'}\n`);
