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
  },
  { description: 'How the camera does on its device.' },
);

export function cameraStatusView(status: Status): Static<typeof CameraStatus> {
  return { ...status };
}
