export { loadOrCreateIdentity, NextIdentity } from './key-file.ts';
