export { MemoryBlobStore } from './blobs/index.ts';
export { CameraBinder, type CameraLine, grantNow, LiveCamera } from './cameras/index.ts';
export {
  ApiClient,
  type ApiClientOptions,
  type ApiRequest,
  cameraTrouble,
  type ServerEvent,
} from './cli/client/index.ts';
export {
  type Column,
  durationText,
  type Paint,
  paintFor,
  progressOn,
  resultSummary,
  table,
} from './cli/output/index.ts';
export { type CoordinatorPorts, createCoordinator } from './compose.ts';
export { type CoordinatorConfig, defaultCoordinatorConfig, placementLimitsOf } from './config.ts';
export * from './domain/index.ts';
export type {
  Camera as CameraAnswer,
  Device as DeviceAnswer,
  FoundCamera as FoundCameraAnswer,
  Result as ResultAnswer,
  Task as TaskAnswer,
  TaskPlacement as PlacementAnswer,
} from './http/index.ts';
export * from './placement/index.ts';
export { FleetDevice, Registry, shareOf } from './registry/index.ts';
export { MemoryDisk, MemoryStore } from './store/index.ts';
