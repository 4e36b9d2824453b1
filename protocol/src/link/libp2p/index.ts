export { type Libp2pAddress, parseLibp2pAddress } from './address.ts';
export { createLibp2pCoordinatorLink, type Libp2pCoordinatorLinkOptions } from './coordinator-link.ts';
export { createLibp2pDeviceLink, type Libp2pDeviceLinkOptions } from './device-link.ts';
export type { FrameStream, FrameStreamListener, RemotePeer } from './frame-stream.ts';
export type { Libp2pLimits } from './limits.ts';
export { type DialTarget, Libp2pNode, type Libp2pNodeOptions, type ProtocolOptions } from './node.ts';
