export type * from './engine.ts';
export { createOnnxEngine, type OnnxEngineOptions } from './onnx/onnx-engine.ts';
export { createSimulatedEngine, type SimulatedEngineOptions } from './simulated/simulated-engine.ts';
