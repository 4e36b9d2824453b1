export { Camera, CameraRequest, cameraSpec, cameraView } from './camera.ts';
export { Device, DeviceState, deviceStateView, deviceView, Power } from './device.ts';
export { Event, eventView } from './event.ts';
export { DiscoverRequest, FoundCamera, foundCameraView } from './found-camera.ts';
export { placementView, TaskPlacement } from './placement.ts';
export { Problem, problemMediaType, problems, problemType } from './problem.ts';
export { BundleFile, Result, resultView } from './result.ts';
export {
  DeviceId,
  Digest,
  IdParams,
  Labels,
  named,
  PageQuery,
  pageOf,
  present,
  ResultParams,
  Timestamp,
  timestamp,
} from './schema.ts';
export { Task, TaskRequest, TaskState, taskOptions, taskStates, taskView } from './task.ts';
export { Webhook, WebhookRequest, webhookSpec, webhookView } from './webhook.ts';
