export { appearanceOf } from './appearance.ts';
export { Masks } from './masks.ts';
export type { MotionPicture } from './motion-gate.ts';
export { Scene, type SceneNews } from './scene.ts';
export { scoresFrom } from './tracker.ts';
