export { checkReport, checkResult, type ExpectedResult, emptyInputDigest } from './check-result.ts';
export { ResultShelf } from './results.ts';
