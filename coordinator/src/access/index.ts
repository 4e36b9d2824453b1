export { ApiKeyRing } from './api-keys.ts';
