export { canonicalJson, type Json } from './canonical-json.ts';
export { JsonField } from './json-field.ts';
