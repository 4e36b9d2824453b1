export { launchdJob, launchdTrialJob } from './launchd.ts';
export { type Layout, layoutOf, type ServiceKind, serviceKinds, serviceName } from './layout.ts';
export { systemdTrialUnit, systemdUnit, sysusers } from './systemd.ts';
export { termuxBootScript } from './termux.ts';
