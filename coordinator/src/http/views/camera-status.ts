import type { CameraStatus as Status } from '@shoal/protocol';
import { type Static, Type } from 'typebox';

export const CameraStatus = Type.Object(
  {
    cameraId: Type.String(),
    state: Type.String({ examples: ['connecting', 'running', 'waiting', 'failed'] }),
    reason: Type.String(),
    fps: Type.Number({ description: 'Pictures analysed each second.' }),
    frames: Type.Integer(),
    dropped: Type.Integer(),
    latencyP50Ms: Type.Number({ description: 'From picture decoded to result made.' }),
    latencyP95Ms: Type.Number(),
    restarts: Type.Integer(),
    decode: Type.String({ examples: ['full', 'skip', 'keyframes', 'substream'] }),
    seenFps: Type.Number({ description: 'Pictures that come out of the decoder each second.' }),
    sourceFps: Type.Number({ description: 'As the source says of itself; 0: it does not.' }),
    sourceWidth: Type.Integer(),
    sourceHeight: Type.Integer(),
    decodeCores: Type.Number({ description: 'Processor time that decoding takes, in cores; 0: not known.' }),
  },
  { description: 'How the camera does on its device.' },
);

export function cameraStatusView(status: Status): Static<typeof CameraStatus> {
  return { ...status };
}
