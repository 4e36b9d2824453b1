export { FleetDevice } from './fleet-device.ts';
export { JoinTokens } from './join-tokens.ts';
export { checkLabels, checkName } from './labels.ts';
export { type FleetListener, Registry, type RegistryOptions } from './registry.ts';
export { sanitiseTimings, text } from './sanitise.ts';
export { type Share, shareOf } from './share.ts';
