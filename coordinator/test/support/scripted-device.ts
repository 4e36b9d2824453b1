import {
  attestResult,
  type CameraAssignment,
  type CapabilityInit,
  type Clock,
  decodeJoinToken,
  encodeResult,
  expectReply,
  type Identity,
  type Incoming,
  type Link,
  Messenger,
  type ModelHint,
  newIdentity,
  type Outgoing,
  proveToken,
  type Random,
  resultMediaType,
  sha256,
  sha256Hex,
  silentLogger,
  type TaskAssignment,
  type TaskOutcomeInit,
  type TelemetryInit,
  toHex,
  type VariantProfileInit,
  type Welcome,
} from '@shoal/protocol';
import { MemorySequenceStore } from '@shoal/protocol/testing';
import { aCapability } from './builders.ts';

export const never = new AbortController().signal;

export interface ScriptedDeviceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly link: (id: string) => Link;
  readonly coordinator: string;
  readonly capability?: CapabilityInit;
  readonly profiles?: readonly VariantProfileInit[];
  readonly identity?: Identity;
  readonly sequences?: MemorySequenceStore;
  /** It says, and believes, nothing that is not sealed. */
  readonly seals?: boolean;
}

/** What a device does with an offer: `undefined` takes it; a word refuses it. */
type Admit = (assignment: TaskAssignment) => string | undefined;
/** What becomes of an attempt that was taken; `undefined`: nothing is ever heard of it. */
type Work = (
  assignment: TaskAssignment,
  device: ScriptedDevice,
) => Promise<TaskOutcomeInit | undefined> | TaskOutcomeInit | undefined;

/** A device that speaks the real protocol with a real key, and does what the test says. */
export class ScriptedDevice {
  readonly identity: Identity;
  readonly sequences: MemorySequenceStore;
  readonly options: ScriptedDeviceOptions;
  readonly link: Link;
  readonly messenger: Messenger;
  readonly assignments: TaskAssignment[] = [];
  readonly inputs: Uint8Array[] = [];
  readonly cancelled: string[] = [];
  /** What it was told to load ahead. */
  readonly hints: ModelHint[] = [];
  readonly cameras = new Map<string, CameraAssignment>();
  readonly removedCameras: string[] = [];
  /** Pictures that it was handed, as text. */
  readonly pictures: string[] = [];
  readonly running = new Set<string>();
  welcome: Welcome | undefined;
  admit: Admit = () => undefined;
  work: Work = (assignment) => goodOutcome(this.identity, assignment);
  admitCamera: (assignment: CameraAssignment) => void | Promise<void> = () => {};
  takePicture: () => void | Promise<void> = () => {};
  /** What it says of itself from time to time. */
  tells: (device: ScriptedDevice) => TelemetryInit = ({ running }) => ({ running: running.size });
  #stopTelemetry = () => {};
  #dead = false;

  constructor(options: ScriptedDeviceOptions) {
    this.options = options;
    this.identity = options.identity ?? newIdentity('device', options.random);
    this.sequences = options.sequences ?? new MemorySequenceStore();
    this.link = options.link(this.identity.id);
    const { coordinator, clock, random, seals } = options;
    // The device pins the coordinator's key when it joins.
    this.messenger = new Messenger({
      identity: this.identity,
      link: this.link,
      peers: { keyOf: (id) => (id === coordinator ? this.#pinned : undefined) },
      sequences: this.sequences,
      clock,
      logger: silentLogger,
      ...(seals && { seal: { random, required: true } }),
    });
    this.messenger.handle((incoming) => this.#answer(incoming));
  }

  #pinned: ReturnType<typeof decodeJoinToken>['coordinator'] | undefined;

  get id(): string {
    return this.identity.id;
  }

  async connect(): Promise<void> {
    await this.link.start(never);
    await this.messenger.start(never);
  }

  /** Believes the coordinator of this token from now on. */
  pin(word: string): void {
    this.#pinned = decodeJoinToken(word).coordinator;
  }

  /** Says hello with the token; the answer is the welcome. */
  async join(word: string, more: { succession?: Uint8Array } = {}): Promise<Welcome> {
    const token = decodeJoinToken(word);
    this.pin(word);
    return this.hello({ ...more, tokenId: token.tokenId, tokenProof: proveToken(token.secret, this.id) });
  }

  async hello(proof: { tokenId?: string; tokenProof?: Uint8Array; succession?: Uint8Array } = {}): Promise<Welcome> {
    const reply = await this.messenger.request(
      this.options.coordinator,
      {
        hello: {
          ...proof,
          capability: this.options.capability ?? aCapability(),
          profiles: this.options.profiles ?? [],
          runningAttempts: [...this.running],
          runningCameras: [...this.cameras.keys()],
        },
      },
      { timeoutMs: 30_000 },
    );
    this.welcome = expectReply(reply, 'welcome');
    this.#report();
    return this.welcome;
  }

  telemetry(telemetry: Parameters<Messenger['send']>[1]['payload'] = { telemetry: {} }): void {
    this.messenger.send(this.options.coordinator, { payload: telemetry });
  }

  /** Delivers an outcome until it is acknowledged; the answer is the coordinator's. */
  async deliver(outcome: TaskOutcomeInit): Promise<void> {
    await this.messenger.request(this.options.coordinator, { taskOutcome: outcome }, { timeoutMs: 600_000 });
  }

  /** The process is gone, without a word. */
  async die(): Promise<void> {
    this.#dead = true;
    this.#stopTelemetry();
    await this.messenger.stop();
    await this.link.stop();
  }

  /** The same device, started again. */
  again(): ScriptedDevice {
    const device = new ScriptedDevice({ ...this.options, identity: this.identity, sequences: this.sequences });
    device.#pinned = this.#pinned;
    return device;
  }

  #report(): void {
    this.#stopTelemetry();
    const periodMs = this.welcome?.telemetryIntervalMs ?? 1_000;
    const next = () => {
      this.#stopTelemetry = this.options.clock.after(`telemetry of ${this.id}`, periodMs, () => {
        if (this.#dead) return;
        this.telemetry({ telemetry: this.tells(this) });
        next();
      });
    };
    next();
  }

  async #answer({ payload, attachments }: Incoming): Promise<Outgoing | undefined> {
    switch (payload.kind) {
      case 'taskAssignment': {
        const { attemptId } = payload.value;
        this.assignments.push(payload.value);
        if (attachments[0]) this.inputs.push(attachments[0]);
        const reason = this.admit(payload.value);
        if (reason !== undefined) return { payload: { taskAdmission: { attemptId, accepted: false, reason } } };
        void this.#run(payload.value);
        return { payload: { taskAdmission: { attemptId, accepted: true } } };
      }
      case 'taskCancellation':
        this.cancelled.push(payload.value.attemptId);
        this.running.delete(payload.value.attemptId);
        return undefined;
      case 'modelHint':
        this.hints.push(payload.value);
        return undefined;
      case 'cameraAssignment':
        await this.admitCamera(payload.value);
        if ((this.cameras.get(payload.value.cameraId)?.revision ?? 0) < payload.value.revision) {
          this.cameras.set(payload.value.cameraId, payload.value);
        }
        return undefined;
      case 'pushedPicture':
        this.pictures.push(
          Buffer.from(attachments[0] ?? [])
            .toString('latin1')
            .slice(3),
        );
        await this.takePicture();
        return undefined;
      case 'cameraRemoval':
        this.cameras.delete(payload.value.cameraId);
        this.removedCameras.push(payload.value.cameraId);
        return undefined;
      default:
        throw new Error(`a device does not expect ${payload.kind}`);
    }
  }

  async #run(assignment: TaskAssignment): Promise<void> {
    this.running.add(assignment.attemptId);
    const outcome = await this.work(assignment, this);
    if (!outcome || this.#dead) return;
    this.running.delete(assignment.attemptId);
    // What is not acknowledged is the test's business, which looks at the coordinator.
    await this.deliver(outcome).catch(() => {});
  }
}

/** What an honest device says about a `noop` or a picture without anything in it. */
export function goodOutcome(
  identity: Identity,
  assignment: TaskAssignment,
  change: {
    readonly sha256?: string;
    readonly attempt?: string;
    readonly digest?: string;
    readonly inferenceMs?: number;
  } = {},
): TaskOutcomeInit {
  const { taskId, attemptId, pipeline, model, variant, inputDigest } = assignment;
  const output = encodeResult(
    pipeline === 'noop'
      ? { schema: 1, pipeline, kind: 'empty' }
      : { schema: 1, pipeline, kind: 'detections', picture: { width: 4, height: 3 }, detections: [] },
  );
  const attestation = attestResult(identity, {
    software: 'scripted/1',
    pipeline,
    parameters: {},
    model: model === '' ? null : { name: model, version: '1', variant, sha256: change.sha256 ?? aModelDigest },
    work: { task: taskId, attempt: change.attempt ?? attemptId },
    startedAtMs: 1,
    finishedAtMs: 2,
    input: { name: 'input', sha256: change.digest ?? (inputDigest.length === 0 ? sha256Hex('') : toHex(inputDigest)) },
    output,
    outputMediaType: resultMediaType,
  });
  const inferenceMs = change.inferenceMs ?? 0;
  return { taskId, attemptId, result: output, attestation, timings: { inferenceMs, totalMs: inferenceMs } };
}

/** What an honest device says it saw. */
export function aCameraReport(
  identity: Identity,
  cameraId: string,
  number: number,
  pipeline = 'detect',
  output?: Uint8Array,
) {
  const result =
    output ??
    encodeResult({
      schema: 1,
      pipeline,
      kind: 'detections',
      picture: { width: 4, height: 3 },
      detections: [],
      frame: { camera: cameraId, number, capturedAtMs: 5 },
    });
  const attestation = attestResult(identity, {
    software: 'scripted/1',
    pipeline,
    parameters: {},
    model: { name: 'tiny-detector', version: '1', variant: 'int8', sha256: aModelDigest },
    work: { camera: cameraId, report: number },
    startedAtMs: 1,
    finishedAtMs: 2,
    input: { name: 'frame', sha256: sha256Hex(`frame ${number}`) },
    output: result,
    outputMediaType: resultMediaType,
  });
  return { cameraId, number, result, attestation };
}

export const aModelDigest = sha256Hex('the file of a model');
export const aModelSha256 = sha256('the file of a model');
