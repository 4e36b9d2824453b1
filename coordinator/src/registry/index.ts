export { FleetDevice } from './fleet-device.ts';
export type { FleetListener } from './fleet-listener.ts';
export { JoinTokens } from './join-tokens.ts';
export { checkLabels, checkName } from './labels.ts';
export { Memberships } from './memberships.ts';
export { Registry } from './registry.ts';
export { sanitiseTimings, text } from './sanitise.ts';
export { type Share, shareOf } from './share.ts';
