export { simulateWhole } from './simulate-whole.ts';
