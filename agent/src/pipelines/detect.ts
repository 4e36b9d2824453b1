import { picturePipeline } from './picture-pipeline.ts';

/** What is where in a picture. */
export const detect = picturePipeline('detect', 'detect');
