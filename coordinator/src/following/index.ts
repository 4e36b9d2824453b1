export { Followers } from './followers.ts';
