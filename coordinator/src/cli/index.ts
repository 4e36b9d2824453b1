export { askSecret } from './ask-secret.ts';
export { ApiClient, type ApiClientOptions, type ApiRequest, type ServerEvent } from './client/index.ts';
export type { OpenCoordinator, OpenCoordinatorRequest } from './coordinator/index.ts';
export { runShoal } from './program.ts';
export type { Output, World } from './world.ts';
