import { readFile, writeFile } from 'node:fs/promises';
import protobuf from 'protobufjs';

/**
 * Writes `src/onnx-format/generated/schema.ts` from `onnx.proto`: the schema as a descriptor that protobufjs loads without
 * a parser and without a file to find at run time. Run by `npm run generate`; a test says when it was forgotten.
 */
const target = new URL('../src/onnx-format/generated/schema.ts', import.meta.url);

export async function onnxDescriptor(): Promise<string> {
  const text = await readFile(new URL('onnx.proto', import.meta.url), 'utf8');
  const { root } = protobuf.parse(text);
  return `// Generated from models/proto/onnx.proto by models/proto/generate.ts. Do not edit.\nexport const onnxDescriptor = ${JSON.stringify(root.toJSON(), undefined, 2)};\n`;
}

if (import.meta.main) await writeFile(target, await onnxDescriptor());
