export {
  type DeviceClass,
  type DeviceClassName,
  deviceClasses,
  floatGain,
  type ModelName,
  modelFactors,
} from './device-classes.ts';
export type { DeviceGroup, Fleet, Workload } from './fleet.ts';
export { links, parseFleet } from './parse-fleet.ts';
export { type ShippedFleet, shippedFleetPath, shippedFleets } from './shipped.ts';
