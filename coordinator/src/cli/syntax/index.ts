/*
 * What can be typed: commands, their options and their help. What they do is loaded when they run, so that `--help` is quick.
 */
export { addAnalyze } from './analyze.ts';
export { addCameras } from './cameras.ts';
export { addDevices } from './devices.ts';
export { addDoctor } from './doctor.ts';
export { addKeys } from './keys.ts';
export { addTasks } from './tasks.ts';
export { addTokens } from './tokens.ts';
export { addVerify } from './verify.ts';
export { addWebhooks } from './webhooks.ts';
