export {
  type AdmissionLimits,
  type AdmissionState,
  defaultAdmissionLimits,
  type RefusalReason,
  refusalOf,
} from './admission.ts';
export type { AskForBlob } from './input-reader.ts';
export { parseParameters, type WorkParameters } from './parameters.ts';
export { Work, type WorkOptions } from './work.ts';
