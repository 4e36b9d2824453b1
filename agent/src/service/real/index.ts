export { writeRunRecord } from './run-record.ts';
export { serviceNotice } from './watchdog.ts';

// Loaded when it is asked for: an agent that runs does not install itself.
export const loadInstalled = () => import('./installed.ts');
export type { ServiceStatus } from './installed.ts';
