export { type Blame, type ErrorCode, type ErrorKind, errorCatalogue } from './catalogue.ts';
export { asShoalError, type ErrorFacts, isErrorCode, isShoalError, ShoalError } from './shoal-error.ts';
