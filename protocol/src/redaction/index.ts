export { redactSource, redactText } from './redact-source.ts';
export { redactWords } from './redact-words.ts';
export { schemeOfSource, sourceSchemes } from './source-schemes.ts';
