export { type FetchMessage, fetchingInChild } from './fetch-in-child.ts';
