export { type RunReport, randomRun, replay } from './random-run.ts';
export { formatRegression, parseRegression, type Regression, type Script } from './script.ts';
export { shrink, sortOf } from './shrink.ts';
