export {
  type DeviceClass,
  type DeviceClassName,
  deviceClasses,
  floatGain,
  type ModelName,
  modelFactors,
} from './device-classes.ts';
export type { ByChance, CameraGroup, DeviceGroup, Fleet, VideoStream, Workload } from './fleet.ts';
export { links, parseFleet } from './parse-fleet.ts';
export { type GoalFleet, goalFleets, readGoalFleets, shippedFleetPath, shippedFleets } from './shipped.ts';
