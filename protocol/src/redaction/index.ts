export { redactSource, redactText } from './redact-source.ts';
export { schemeOfSource, sourceSchemes } from './source-schemes.ts';
