import { finalTaskStates, type ResultRecord, type Task } from '@shoal/coordinator';
import {
  asShoalError,
  canonicalJson,
  decodeResult,
  type PeerId,
  type PeerKey,
  verifyAttestation,
} from '@shoal/protocol';
import { type AgentLife, linkQueueBytes } from '../world/index.ts';
import { agentLimits, coordinatorLimits } from './fleet.ts';
import type { Invariant } from './invariant.ts';
import type { Life } from './life.ts';

/** True at every moment. */
export const always: readonly Invariant[] = [
  endsStay,
  oneResultPerWork,
  resultsAreProved,
  nothingForTheRevoked,
  nothingBelowTheFloor,
  nothingBelowItsOwnFloor,
  leasesAreKept,
  nothingUnadmitted,
  nothingIsReadable,
  nothingOverAdmission,
  limitsAreKept,
  nothingIsADefect,
];

/** An attempt may take this many times what it was expected to take. */
const leaseFactor = 20;
/** How late the end of a lease may be noticed, the steps of the run included, ms. */
const leaseSlackMs = 3_000;
/** Time within which a device says, and the coordinator has heard, that a battery is low, ms. */
const batteryKnownMs = 30_000;
/** Time within which a device that is cut off looks at its own battery: it does before each hello, which it says ever more seldom; ms. */
const ownBatteryKnownMs = 60_000;
/** As long as the longest pause between two looks, ms. */
const longestStepMs = 1_000;

function* endsStay({ tasks, seen, world }: Life): Iterable<string> {
  for (const task of seen) {
    const known = tasks.get(task.id);
    if (!known) continue;
    if (known.ended === undefined) {
      if (!finalTaskStates.has(task.state)) continue;
      known.ended = task;
      if (!sameEnd(task, world.disk.tasks.get(task.id))) yield `${task.id} is ${task.state}, and not durably`;
    } else if (!sameEnd(known.ended, task)) {
      yield `${task.id} was ${known.ended.state} and is ${task.state}`;
    }
  }
}

function sameEnd(a: Task, b: Task | undefined): boolean {
  return a.state === b?.state && a.endedAtMs === b.endedAtMs && a.reason === b.reason;
}

function* oneResultPerWork({ world: { disk } }: Life): Iterable<string> {
  const works = new Set<string>();
  for (const { work, device } of disk.results.values()) {
    const of = 'task' in work ? work.task : `report ${work.report} of ${work.camera} from ${device}`;
    if (works.has(of)) yield `${of} has two results`;
    works.add(of);
    if ('task' in work && disk.tasks.get(work.task)?.state !== 'succeeded')
      yield `${work.task} has a result and is ${disk.tasks.get(work.task)?.state}`;
  }
}

/** Each result is looked at once: it is held by the life that it belongs to. */
const proved = new WeakSet<ResultRecord>();

function* resultsAreProved({ world: { disk, coordinatorIsUp, coordinatorLife } }: Life): Iterable<string> {
  if (!coordinatorIsUp) return;
  for (const record of disk.results.values()) {
    if (proved.has(record)) continue;
    proved.add(record);
    const why = whyNotProved(record, disk.tasks, coordinatorLife.keyOf(record.device));
    if (why !== undefined) yield `${record.id} of ${canonicalJson({ ...record.work })}: ${why}`;
  }
}

function whyNotProved(
  { attestation, result, work, device }: ResultRecord,
  tasks: ReadonlyMap<string, Task>,
  key: PeerKey | undefined,
): string | undefined {
  if (!key) return 'its device is not known';
  // A report whose bytes were given up for room is a statement alone.
  if (result.length === 0) return undefined;
  try {
    const { predicate, subject } = verifyAttestation(attestation, result, key);
    if (canonicalJson({ ...predicate.work }) !== canonicalJson({ ...work })) return 'proof of other work';
    if (decodeResult(result).pipeline !== predicate.pipeline) return 'of another pipeline';
    if (!('task' in work)) return undefined;
    const task = tasks.get(work.task);
    if (task?.attempts.find(({ id }) => id === work.attempt)?.device !== device)
      return 'its device did not have the task';
    const input = task.spec.input?.digest;
    return input === undefined || subject[0].digest.sha256 === input ? undefined : 'about another input';
  } catch (error) {
    return asShoalError(error).message;
  }
}

function* nothingForTheRevoked({ revokedAtMs, seen, attempts }: Life): Iterable<string> {
  for (const task of seen) {
    for (const { id, device } of task.attempts) {
      const sinceMs = revokedAtMs.get(device) ?? Number.POSITIVE_INFINITY;
      const { firstMs = 0, lastOpenMs = 0 } = attempts.get(id) ?? {};
      // One that was begun in the very step of the revocation is first seen after it.
      if (firstMs > sinceMs + longestStepMs || lastOpenMs > sinceMs + longestStepMs)
        yield `${task.id}: ${id} is with a device that was revoked`;
    }
  }
}

function* nothingBelowTheFloor({ belowFloorSinceMs, seen, attempts }: Life): Iterable<string> {
  for (const { id: task, attempts: tries } of seen) {
    for (const { id, device, state } of tries) {
      const sinceMs = belowFloorSinceMs.get(device);
      const { firstMs = 0 } = attempts.get(id) ?? {};
      if (sinceMs === undefined || firstMs < sinceMs + batteryKnownMs) continue;
      if (state === 'accepted' || state === 'succeeded') yield `${task}: ${id} is on a battery below its floor`;
    }
  }
}

/** By inferences of a device, when its battery had been below its own floor for so long, joules. */
const workedThen = new WeakMap<AgentLife, { readonly sinceMs: number; readonly workedJ: number }>();

function* nothingBelowItsOwnFloor({ world, belowOwnFloorSinceMs, nowMs }: Life): Iterable<string> {
  for (const agent of world.agents) {
    const { battery } = agent.machine;
    const sinceMs = belowOwnFloorSinceMs.get(agent.id);
    if (!battery || sinceMs === undefined || nowMs < sinceMs + ownBatteryKnownMs) continue;
    const then = workedThen.get(agent);
    if (then?.sinceMs !== sinceMs) workedThen.set(agent, { sinceMs, workedJ: battery.workedJ });
    else if (battery.workedJ > then.workedJ)
      yield `${agent.id} works though its battery is at ${battery.levelPct.toFixed(1)} %, for ${nowMs - sinceMs} ms`;
  }
}

function* nothingUnadmitted({ seen, world: { wiretap } }: Life): Iterable<string> {
  // Nobody on the wire can tell.
  if (wiretap.heardSealed) return;
  for (const { id: task, attempts } of seen)
    for (const { id, state, device } of attempts)
      if (state === 'accepted' && wiretap.admissions.get(id) !== true)
        yield `${task}: ${id} is taken for accepted, and ${device} did not accept it`;
}

/** Where anything is sealed, everything is but what sessions are agreed on with. */
function* nothingIsReadable({ world: { wiretap } }: Life): Iterable<string> {
  if (!wiretap.heardSealed) return;
  for (const kind of wiretap.readable)
    if (!['sessionOffer', 'sessionAnswer', 'sessionLost'].includes(kind)) yield `${kind} was said openly`;
}

function* nothingOverAdmission({ seen, world }: Life): Iterable<string> {
  const open = new Map<PeerId, number>();
  for (const { attempts } of seen)
    for (const { device, state } of attempts)
      if (state === 'offered' || state === 'accepted') open.set(device, (open.get(device) ?? 0) + 1);
  for (const [device, count] of open)
    if (count > coordinatorLimits.attemptsPerDevice) yield `${count} attempts are with ${device}`;
  const { concurrency, limits } = agentLimits.work;
  for (const { id, status } of world.agents) {
    if (!status) continue;
    if (status.queued > limits.queueLimit) yield `${status.queued} tasks wait on ${id}`;
    if (status.running > concurrency) yield `${status.running} tasks run on ${id}`;
  }
}

function* leasesAreKept({ seen, attempts, nowMs, coordinatorSinceMs }: Life): Iterable<string> {
  for (const { id: task, attempts: tries } of seen) {
    for (const { id, placement } of tries) {
      const { firstMs = nowMs, lastOpenMs = 0 } = attempts.get(id) ?? {};
      const { loadMs, inferenceMs } = placement.chosen;
      const leaseMs = Math.max(coordinatorLimits.leaseMs, leaseFactor * (loadMs + inferenceMs));
      // A coordinator that starts again gives the attempts that were under way a new lease.
      const openMs = lastOpenMs - Math.max(firstMs, coordinatorSinceMs);
      if (openMs > leaseMs + leaseSlackMs) yield `${task}: ${id} was open for ${openMs} ms`;
    }
  }
}

function* limitsAreKept({ world, seen }: Life): Iterable<string> {
  if (world.network.mostQueuedBytes > linkQueueBytes) yield `${world.network.mostQueuedBytes} bytes waited for a link`;
  if (world.disk.cameras.size > coordinatorLimits.cameraLimit) yield `${world.disk.cameras.size} cameras`;
  const live = seen.filter(({ state }) => !finalTaskStates.has(state));
  if (live.length > coordinatorLimits.liveTaskLimit) yield `${live.length} tasks live at once`;
  for (const { id, spec, attempts } of seen) {
    const tries = attempts.filter(({ state }) => state === 'failed' || state === 'lost');
    if (tries.length > spec.maxAttempts) yield `${id} was tried ${tries.length} times of ${spec.maxAttempts}`;
  }
  for (const { id, status, disk } of world.agents) {
    if (!status) continue;
    const { waiting } = status.outbox;
    const sizeBytes = disk.everTorn ? disk.outboxBytes : status.outbox.sizeBytes;
    if (waiting > agentLimits.outbox.mostResults + disk.untoldResults) yield `${waiting} results wait on ${id}`;
    if (sizeBytes > agentLimits.outbox.mostBytes) yield `${sizeBytes} bytes of results wait on ${id}`;
  }
}

function* nothingIsADefect({ world }: Life): Iterable<string> {
  yield* world.defects.splice(0);
  yield* world.wiretap.reused.splice(0);
}
