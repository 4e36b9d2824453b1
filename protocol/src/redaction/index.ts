export { redactSource, redactText } from './redact-source.ts';
export { redactWords } from './redact-words.ts';
export { pushSource, schemeOfSource, sourceSchemes } from './source-schemes.ts';
