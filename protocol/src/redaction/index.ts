export { redactSource, redactText } from './redact-source.ts';
