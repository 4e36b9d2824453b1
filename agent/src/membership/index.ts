export { Farewell } from './farewell.ts';
export { Membership, type MembershipOptions, type MembershipState, type Presence } from './membership.ts';
export { Revocation } from './revocation.ts';
export { SoftwareProbe } from './software-probe.ts';
export type { Speak } from './speak.ts';
