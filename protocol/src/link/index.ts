export type { Link, LinkKind, LinkListener, LinkTraits } from './link.ts';
export { LinkListeners } from './link-listeners.ts';
export { MemoryHub, type MemoryHubOptions } from './memory/memory-link.ts';
export {
  type DeviceLinkState,
  DeviceLinks,
  FollowingRoute,
  type PreferredRouteOptions,
  SeveralLinks,
} from './several/index.ts';
