export { loadOrCreateIdentity } from './key-file.ts';
