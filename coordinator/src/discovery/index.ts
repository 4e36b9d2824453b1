export { Finder, type FinderDeps, type FinderOptions } from './finder.ts';
export type { Conversation, Datagram, Group, LocalNetwork, ToldLinks } from './local-network.ts';
export type { SoapAnswer } from './onvif.ts';
