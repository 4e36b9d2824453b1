import { silentLogger } from '@shoal/protocol';
import { createOnnxEngine } from '../../src/engine/index.ts';
import { aFrame, aSlowModel } from './tiny-models.ts';

// A process of its own: asks for an inference of a tenth of a second, and exits so many milliseconds later.

const never = new AbortController().signal;
const engine = createOnnxEngine({ logger: silentLogger });
const model = await engine.load(aSlowModel(), never);
model.infer(aFrame(), {}, never).then(
  () => process.stdout.write(' and done'),
  () => process.stdout.write(' and failed'),
);
process.stdout.write('running');
setTimeout(() => process.exit(0), Number(process.argv[2]));
