export { type Condition, ConditionWatch, type Machine } from './machine.ts';
export { createSystemMachine } from './system-machine.ts';
