import { type Clock, expectReply, fromHex, type Messenger, type TaskAdmission } from '@shoal/protocol';
import type { BlobKeeper } from '../blobs/index.ts';
import { parametersJson } from '../pipelines/index.ts';
import type { Warmth } from '../placement/index.ts';
import type { FleetDevice, Registry } from '../registry/index.ts';
import type { RunningAttempt } from './live-task.ts';

interface Deps {
  readonly clock: Clock;
  readonly messenger: Messenger;
  readonly registry: Registry;
  readonly blobs: Pick<BlobKeeper, 'read'>;
}

interface TaskCommandOptions {
  /** Inputs up to this size travel with the offer. */
  readonly inlineInputBytes: number;
  /** How long an offer may go unanswered, ms. */
  readonly offerTimeoutMs: number;
}

/** A device is told again to load a model after this time, ms. */
const hintMs = 10_000;
const nothing = new Uint8Array();

/** What devices are told about tasks. */
export class TaskCommands {
  readonly #deps: Deps;
  readonly #options: TaskCommandOptions;
  /** When a device was last told to load a model ahead, monotonic ms. */
  readonly #hintedMs = new WeakMap<FleetDevice, number>();

  constructor(deps: Deps, options: TaskCommandOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** @returns what the device said; `undefined` when the attempt was over before it could be offered. @throws what the link and the blobs throw. */
  async offer(running: RunningAttempt): Promise<TaskAdmission | undefined> {
    const { clock, messenger, blobs } = this.#deps;
    const { inlineInputBytes, offerTimeoutMs } = this.#options;
    const { live, device, abort } = running;
    const { input } = live.task.spec;
    const bytes = input && input.sizeBytes <= inlineInputBytes ? await blobs.read(input.digest) : undefined;
    if (live.current !== running) return undefined;
    const timeLeftMs = Math.max(1, Math.ceil(live.dueMs - clock.monotonicMs()));
    const startedMs = clock.monotonicMs();
    const isAlone = device.running === 1;
    const reply = await messenger.request(
      device.id,
      { taskAssignment: assignmentOf(running, timeLeftMs) },
      {
        timeoutMs: Math.min(offerTimeoutMs, timeLeftMs),
        signal: abort.signal,
        ...(bytes && { attachments: [bytes] }),
      },
    );
    const admission = expectReply(reply, 'taskAdmission');
    device.answered(bytes?.length ?? 0, clock.monotonicMs() - startedMs, isAlone);
    return admission;
  }

  callOff(device: FleetDevice, taskId: string, attemptId: string, reason: string): void {
    if (device.presence === 'offline') return;
    this.#deps.messenger.send(device.id, { payload: { taskCancellation: { taskId, attemptId, reason } } });
  }

  /** Tells the device that would have been better to load the model, not more often than it may take to do so. */
  warm({ device: id, model, variant }: Warmth): void {
    const { clock, messenger, registry } = this.#deps;
    const device = registry.device(id);
    const nowMs = clock.monotonicMs();
    if (!device || nowMs < (this.#hintedMs.get(device) ?? Number.NEGATIVE_INFINITY) + hintMs) return;
    this.#hintedMs.set(device, nowMs);
    messenger.send(id, { payload: { modelHint: { model, variant } } });
  }
}

function assignmentOf({ id, live, model = '', variant = '', leaseMs }: RunningAttempt, timeLeftMs: number) {
  const { pipeline, input, parameters } = live.task.spec;
  return {
    taskId: live.id,
    attemptId: id,
    pipeline,
    model,
    variant,
    inputDigest: input ? (fromHex(input.digest) ?? nothing) : nothing,
    inputSizeBytes: input?.sizeBytes ?? 0,
    inputMediaType: input?.mediaType ?? '',
    parametersJson: parametersJson(parameters),
    timeLeftMs,
    leaseMs,
  };
}
