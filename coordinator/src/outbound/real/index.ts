export { parseCallersUrl, pinnedTo, resolveCallersUrl } from './callers-url.ts';
