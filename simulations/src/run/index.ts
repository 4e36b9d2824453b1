export { type RunReport, randomRun, replay } from './random-run.ts';
export { formatRegression, parseRegression, type Regression, type Script } from './script.ts';
export { type SharedFleetReport, sharedFleetRun } from './shared-fleet-run.ts';
export { shrink, sortOf } from './shrink.ts';
