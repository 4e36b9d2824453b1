export { realSystemReader, type SystemReaderOptions } from './real-system-reader.ts';
