export type { CommandContext } from './context.ts';
export { createProgram } from './program.ts';
