export { findService, InstalledService, kindHere, type ServiceStatus } from './installed.ts';
export { writeRunRecord } from './run-record.ts';
export { serviceNotice } from './watchdog.ts';
