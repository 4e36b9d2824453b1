export type { AgentLife } from './agent-life.ts';
export type { CoordinatorLife } from './coordinator-life.ts';
export { Dice } from './dice.ts';
export { linkQueueBytes, Network, type NetworkOptions } from './network.ts';
export type { SignatureKind } from './signatures.ts';
export type { MachineSpec } from './simulated-machine.ts';
export { upload } from './upload.ts';
export { World, type WorldOptions, type WorldParts } from './world.ts';
