export {
  type Point,
  parseMasks,
  parseSceneParameters,
  type SceneMotion,
  type SceneParameters,
} from './scene-parameters.ts';
