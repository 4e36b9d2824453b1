export { type DetectionDataset, readClassDataset, readDetectionDataset } from './read-dataset.ts';
