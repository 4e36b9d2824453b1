import ort from 'onnxruntime-node';
import type { PrepareRequest } from './prepare.ts';
import { sessionOptions } from './session-options.ts';

// The entry of the process that prepares a model: a PrepareRequest as its only argument.

const { modelPath, path, threadsPerWorker } = JSON.parse(process.argv[2] ?? '{}') as PrepareRequest;
const plain = sessionOptions(threadsPerWorker);
await ort.InferenceSession.create(modelPath, {
  ...plain,
  optimizedModelFilePath: path,
  extra: { session: { ...plain.extra.session, save_model_format: 'ORT' } },
});
