import { silentLogger } from '@shoal/protocol';
import { createOnnxEngine } from '../../src/engine/index.ts';
import { aClassifier, aFrame } from './tiny-models.ts';

// A process of its own: probes the runtime, loads a model, prepared in the folder that is named, and runs it once.

const never = new AbortController().signal;
const preparedDirectory = process.argv[2];
const engine = createOnnxEngine({ logger: silentLogger }, preparedDirectory === undefined ? {} : { preparedDirectory });
const model = await engine.load(aClassifier(), never);
await model.infer(aFrame(), {}, never);
await engine.dispose();
process.stdout.write('done');
