import type { ErrorFacts } from '@shoal/protocol';
import type { ImportPrecision } from './import-context.ts';
import type { ImportedModel } from './import-tflite.ts';

export interface ImportRequest {
  readonly tflitePath: string;
  /** Where the ONNX file is written. */
  readonly onnxPath: string;
  readonly precision: ImportPrecision;
}

/** What the import found out, without the file itself. */
export type ImportReport = Omit<ImportedModel, 'onnx'>;

/** Errors do not keep their class between threads: their parts are sent. */
export type ImportReply =
  | { readonly report: ImportReport }
  | { readonly code: string; readonly message: string; readonly facts: ErrorFacts };
