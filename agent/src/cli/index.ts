export { defaultData, helpText, type ParsedCommand, parseCommand, type RunFlags } from './arguments.ts';
export { coordinatorOf, type DataFolder, type KnownCoordinator, openDataFolder, prepareNewKey } from './data-folder.ts';
export { software } from './software.ts';

// Loaded when they are asked for: an agent that runs needs none.
export const loadStatus = () => import('./status.ts');
export const loadDoctor = () => import('./doctor.ts');
export const loadService = () => import('./service.ts');
