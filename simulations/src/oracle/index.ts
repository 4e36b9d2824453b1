export { type InTurn, placeInTurn, placeTogether } from './in-turn.ts';
export { drawInstance, type Instance, type InstanceSize } from './instance.ts';
export { optimum, type Problem, type Solution, type Step } from './optimum.ts';
