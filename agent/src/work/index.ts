export {
  type AdmissionLimits,
  type AdmissionState,
  defaultAdmissionLimits,
  type RefusalReason,
  refusalOf,
} from './admission.ts';
export type { AskForBlob } from './input-reader.ts';
export { parseParameters, type WorkParameters } from './parameters.ts';
export { WorkPlaces } from './places.ts';
export { Work, type WorkOptions } from './work.ts';
