export { makeOwnTls } from './own-tls.ts';
