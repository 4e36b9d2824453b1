import type { FuzzTarget } from '@shoal/protocol/testing';
import { deviceTarget } from './device-says.ts';
import { restTarget } from './rest.ts';
import { strangerTargets } from './strangers.ts';
import { wordTargets } from './words.ts';

export const fuzzTargets: readonly FuzzTarget[] = [...wordTargets, ...strangerTargets, deviceTarget, restTarget];
