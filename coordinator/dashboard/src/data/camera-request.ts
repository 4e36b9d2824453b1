import type { Camera } from './types.ts';

/** A camera as it is sent back to be replaced, whole. Its source, as it was shown, stands for the real one. */
export function requestOf(camera: Camera): Record<string, unknown> {
  const { source, name, pipeline, model, variant, targetFps, p95Ms, priority, substream, parameters, loop, labels } =
    camera;
  const { onlyDevice: device, paused } = camera;
  return {
    source,
    name,
    pipeline,
    model,
    variant,
    targetFps,
    p95Ms,
    priority,
    substream,
    parameters,
    loop,
    labels,
    device,
    paused,
  };
}
