export {
  mostMessagesPerEnvelope,
  type OpenedEnvelope,
  type OpenOptions,
  openEnvelope,
  type SealOptions,
  sealEnvelope,
  strangerFrameBytes,
} from './envelope.ts';
export { SequenceSource, type SequenceStore } from './sequence.ts';
