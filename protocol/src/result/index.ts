export {
  type AnalysisResult,
  type ClassesResult,
  type DetectionsResult,
  decodeResult,
  type EmptyResult,
  encodeResult,
  type ResultDetection,
  resultMediaType,
} from './result.ts';
