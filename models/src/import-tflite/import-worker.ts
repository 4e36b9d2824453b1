import { readFile, writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { asShoalError } from '@shoal/protocol';
import { importTflite } from './import-tflite.ts';
import type { ImportReply, ImportRequest } from './messages.ts';

async function answer({ tflitePath, onnxPath, precision }: ImportRequest): Promise<ImportReply> {
  try {
    const { onnx, ...report } = importTflite(await readFile(tflitePath), precision);
    await writeFile(onnxPath, onnx);
    return { report };
  } catch (thrown) {
    const { code, message, facts } = asShoalError(thrown);
    return { code, message, facts };
  }
}

parentPort?.postMessage(await answer(workerData as ImportRequest));
