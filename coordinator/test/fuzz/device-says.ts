import { Body, createLogger, type MessageInit, type PeerId, ShoalError, sealEnvelope } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { aSpec } from '../support/builders.ts';
import { aCameraReport, goodOutcome, type ScriptedDevice } from '../support/scripted-device.ts';
import { World } from '../support/world.ts';

/** Far above what the device itself has used: what is said here comes after all that. */
const laterSequence = 1_000_000;

interface Fleet {
  readonly world: World;
  readonly device: ScriptedDevice;
  readonly other: ScriptedDevice;
  /** What the device works on. */
  readonly taskId: string;
  readonly errors: string[];
}

/** The same fleet each time: two devices, one of which works on a task and a camera and is about to say strange things. */
async function aFleet(): Promise<Fleet> {
  const errors: string[] = [];
  const logger = createLogger(({ message, fields }) => errors.push(`${message} ${JSON.stringify(fields)}`), 'error');
  const world = await new World({ seed: 5, logger }).start();
  const device = await world.joined();
  const other = await world.joined();
  device.work = () => undefined;
  const { coordinator, clock } = world;
  const { id: taskId } = await clock.until(coordinator.tasks.submit(aSpec({ device: device.id })));
  await clock.advance(20);
  return { world, device, other, taskId, errors };
}

function samplesOf({ device, other }: Fleet): readonly (readonly MessageInit[])[] {
  const assignment = device.assignments[0];
  if (!assignment) throw new Error('the device was given no work');
  const { taskId, attemptId } = assignment;
  const profile = device.options.profiles ?? [];
  return [
    [{ taskOutcome: goodOutcome(device.identity, assignment) }],
    // In the name of another device: the statement is not its own.
    [{ id: 1, taskOutcome: goodOutcome(other.identity, assignment) }],
    [{ id: 2, taskOutcome: { taskId, attemptId, errorCode: 'engine.failed', errorMessage: 'no memory' } }],
    [
      {
        telemetry: {
          cpuLoad: 0.5,
          batteryPct: 50,
          running: 1,
          cameras: [{ cameraId: 'cam_1', state: 'running', fps: 5 }],
        },
      },
    ],
    [{ id: 3, profileReport: { profiles: profile } }, { telemetry: { temperatureC: 70, loadedModels: ['a/b'] } }],
    [
      {
        id: 4,
        hello: {
          capability: { hostName: 'pi', cores: 4, memoryBytes: 8e9 },
          profiles: profile,
          runningAttempts: [attemptId],
        },
      },
    ],
    [{ id: 5, cameraReport: aCameraReport(device.identity, 'cam_1', 1) }, { goodbye: { reason: 'stopped' } }],
    [{ id: 6, blobRequest: { digest: new Uint8Array(32), offset: 0, length: 100 } }],
    [
      { id: 7, replyTo: 1, taskAdmission: { attemptId, accepted: true } },
      { id: 8, error: { code: 'queue.full' } },
    ],
    [
      { id: 9, taskCancellation: { taskId, attemptId } },
      { id: 10, taskAssignment: { taskId, attemptId } },
    ],
  ];
}

const example = await aFleet();
const samples = samplesOf(example).map((messages) => Body.encode({ messages }));

/** The messages of a body, under a signature that fits, from the device to its coordinator. */
async function say(fleet: Fleet, bytes: Uint8Array): Promise<void> {
  const { world, device } = fleet;
  const { messages } = Body.decode(bytes);
  const recipient: PeerId = world.identity.id;
  const frame = sealEnvelope(device.identity, { recipient, sequence: laterSequence, sentAtMs: 1, messages });
  if (frame.length > device.link.traits.maxFrameBytes) throw new ShoalError('message.malformed', 'no link takes this');
  await device.link.send(recipient, frame);
  await world.clock.advance(50);
}

/** What nobody but the device itself may change by what it says; and that the coordinator is as it was. */
async function check({ world, device, other, taskId, errors }: Fleet): Promise<void> {
  if (errors.length > 0) throw new Error(`the coordinator failed: ${errors[0]}`);
  const { coordinator, clock } = world;
  if (coordinator.devices.get(other.id).presence !== 'online') throw new Error('another device was made to look gone');
  const { capability, profiles, telemetry } = coordinator.devices.get(device.id);
  requireSense({ capability, profiles, telemetry });
  const { state: stateOfWork } = await clock.until(coordinator.tasks.get(taskId));
  if (stateOfWork === 'succeeded' && (await clock.until(coordinator.results.ofTask(taskId))).device !== device.id)
    throw new Error('a result of another device is believed');
  const { id } = await clock.until(coordinator.tasks.submit(aSpec({ device: other.id, deadlineMs: 5_000 })));
  await world.ended(id);
  const { state } = await clock.until(coordinator.tasks.get(id));
  if (state !== 'succeeded') throw new Error(`work of another device ${state}`);
}

function requireSense(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} is kept of what a device said`);
  if (typeof value === 'string' && value.length > 1_000) throw new Error('a long text is kept of what a device said');
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    for (const member of Object.values(value)) requireSense(member);
}

async function hear(bytes: Uint8Array): Promise<void> {
  const fleet = await aFleet();
  try {
    await say(fleet, bytes);
    await check(fleet);
  } finally {
    await fleet.world.clock.until(fleet.world.coordinator.stop());
  }
}

export const deviceTarget: FuzzTarget = {
  name: 'coordinator that hears a device',
  form: 'protobuf',
  samples,
  refuses: ['message.malformed'],
  cost: 500,
  take: hear,
};
