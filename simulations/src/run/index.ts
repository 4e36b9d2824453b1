export { type RunReport, randomRun } from './random-run.ts';
