import { picturePipeline } from './picture-pipeline.ts';

/** What a picture shows, as a whole. */
export const classify = picturePipeline('classify', 'classify');
