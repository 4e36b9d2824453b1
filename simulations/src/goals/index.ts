import { batteries } from './batteries.ts';
import { bursts } from './bursts.ts';
import { energy } from './energy.ts';
import type { Goal } from './goal.ts';
import { large } from './large.ts';

export { type Finding, type Goal, isMet, type Means } from './goal.ts';

export const goals: readonly Goal[] = [energy, bursts, batteries, large];
