import type { FuzzTarget } from '@shoal/protocol/testing';
import { messageTargets } from './messages.ts';
import { statementTargets } from './statements.ts';
import { wordTargets } from './words.ts';

export const fuzzTargets: readonly FuzzTarget[] = [...messageTargets, ...statementTargets, ...wordTargets];
