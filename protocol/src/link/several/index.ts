export { type DeviceLinkState, DeviceLinks } from './device-links.ts';
export { FollowingRoute } from './following-route.ts';
export type { PreferredRouteOptions } from './preferred-route.ts';
export { SeveralLinks } from './several-links.ts';
