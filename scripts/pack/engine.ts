import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Lays ONNX Runtime's native part beside a bundle, for one platform: the package of its makers carries it for all of them, 288 MB.
 * @param asked `SHOAL_ENGINE` of whoever packs: a platform as Node names it, or `none`; left out: this machine's, and none where there is nothing for it
 * @returns what it was laid down for
 */
export async function addEngine(root: string, folder: string, asked: string | undefined): Promise<string> {
  if (asked === 'none') return 'none';
  const platform = asked || `${process.platform}-${process.arch}`;
  const [system = '', processor = ''] = platform.split('-');
  const from = join(root, 'node_modules/onnxruntime-node/bin/napi-v6', system, processor);
  if (!existsSync(from)) {
    if (asked) throw new Error(`ONNX Runtime is not made for ${asked}: SHOAL_ENGINE may be linux-x64, linux-arm64 …`);
    return 'none';
  }
  await cp(from, join(folder, 'onnxruntime', system, processor), { recursive: true });
  return platform;
}
