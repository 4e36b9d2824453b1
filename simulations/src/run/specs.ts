import type { BlobRef, CameraSpec, TaskSpec } from '@shoal/coordinator';
import { type Dice, upload } from '../world/index.ts';
import type { Life } from './life.ts';

/** What somebody might ask for; `undefined` when the picture that goes with it was not taken. */
export async function aSpec(life: Life, dice: Dice): Promise<TaskSpec | undefined> {
  const pipeline = dice.pick(['detect', 'detect', 'classify', 'noop']);
  const wanted = {
    deadlineMs: dice.chance(0.2) ? 1 + Math.floor(dice.next() * 3_000) : 120_000,
    labels: dice.chance(0.1) ? { site: 'yard' } : {},
    ...(dice.chance(0.1) && { device: dice.pick(life.world.agents).id }),
    maxAttempts: dice.pick([1, 5, 5]),
  };
  const input = pipeline === 'noop' ? undefined : await aPicture(life, dice);
  if (pipeline !== 'noop' && !input) return undefined;
  return { pipeline, ...(input && { input }), parameters: {}, ...wanted };
}

/** Small enough to go along with its task, or too large for that. */
function aPicture(life: Life, dice: Dice): Promise<BlobRef | undefined> {
  const picture = dice.bytes(dice.pick([64, 64, 3_000]));
  return life.ask(upload(life.world.coordinator, picture));
}

export function aCamera(life: Life, dice: Dice): CameraSpec {
  return {
    name: 'a camera',
    source: dice.pick(['rtsp://fine/', 'rtsp://fine/', 'rtsp://breaks/', 'rtsp://bursts/']),
    pipeline: 'detect',
    targetFps: dice.pick([0.3, 0.5, 1]),
    parameters: {},
    loop: false,
    labels: dice.chance(0.2) ? { site: 'yard' } : {},
    ...(dice.chance(0.1) && { device: dice.pick(life.world.agents).id }),
  };
}
