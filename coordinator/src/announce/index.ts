export { Announcer } from './announcer.ts';
export { topicsUnder } from './topics.ts';
