export { CoapConnection, type CoapConnectionOptions } from './coap-connection.ts';
export {
  type CoapMethod,
  type CoapResource,
  CoapServer,
  type CoapServerOptions,
  type ServedAnswer,
  type ServedRequest,
} from './coap-server.ts';
export {
  type CoapCoordinatorLink,
  type CoapCoordinatorLinkLimits,
  type CoapCoordinatorLinkOptions,
  createCoapCoordinatorLink,
} from './coordinator-link.ts';
export { type CoapDeviceLinkLimits, type CoapDeviceLinkOptions, createCoapDeviceLink } from './device-link.ts';
export type { HalfDoneLimits } from './half-done-bodies.ts';
export type { CoreLink } from './link-format.ts';
export type { CoapAnswer, CoapRequest } from './message-client.ts';
export type { Observer } from './message-server.ts';
