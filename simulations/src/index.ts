export { simulate } from './coarse/index.ts';
export { parseFleet, readGoalFleets, shippedFleetPath } from './fleet/index.ts';
export { goals } from './goals/index.ts';
export * from './oracle/index.ts';
export { htmlReport, interval } from './report/index.ts';
export * from './run/index.ts';
export { simulateWhole } from './whole/index.ts';
export * from './world/index.ts';
