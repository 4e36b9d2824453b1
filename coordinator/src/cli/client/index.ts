export { ApiClient, type ApiClientOptions, type ApiRequest } from './api-client.ts';
export { cameraTrouble } from './camera-trouble.ts';
export { type ConnectionOptions, connect } from './connect.ts';
export type { ServerEvent } from './read-events.ts';
export { announce, defaultDataDirectory, type RunningCoordinator, runningIn } from './running.ts';
