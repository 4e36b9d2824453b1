export { type Point, parseSceneParameters, type SceneMotion, type SceneParameters } from './scene-parameters.ts';
