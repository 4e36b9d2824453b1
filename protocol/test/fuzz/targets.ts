import type { FuzzTarget } from '@shoal/protocol/testing';
import { coapTargets } from './coap-datagrams.ts';
import { linkTargets } from './links.ts';
import { messageTargets } from './messages.ts';
import { statementTargets } from './statements.ts';
import { wordTargets } from './words.ts';

export const fuzzTargets: readonly FuzzTarget[] = [
  ...linkTargets,
  ...coapTargets,
  ...messageTargets,
  ...statementTargets,
  ...wordTargets,
];
