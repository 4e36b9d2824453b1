// The importer itself is loaded by the thread that runs it, and so are its formats.
export { importInThread, type TfliteImporter } from './import-thread.ts';
export type { ImportReport, ImportRequest } from './messages.ts';
