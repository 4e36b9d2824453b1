export { createLocalNetwork } from './local-network.ts';
