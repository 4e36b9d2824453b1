import { finalTaskStates } from '@shoal/coordinator';
import type { Invariant } from './invariant.ts';
import type { Life } from './life.ts';

/** True once the faults have stopped and a while has passed. */
export const atTheEnd: readonly Invariant[] = [
  everyTaskEnded,
  everyDeviceIsBack,
  everyOutboxIsEmpty,
  everyDurableReportIsKept,
  camerasRunWhereTheyAreBound,
];

/** Results of one device that may be under way at any time: a camera that runs has a few. */
const mostOnTheirWay = 10;
/** A result that waits is delivered within this time when nothing is wrong, ms. */
const deliveredWithinMs = 15_000;
/** And within this time when the network loses the same one again and again. */
const unluckyWithinMs = 45_000;

/** And a camera is handed over within this time, ms. */
const handOverMs = 15_000;

function* everyTaskEnded({ seen, world }: Life): Iterable<string> {
  for (const { id, state, reason } of seen) {
    if (!finalTaskStates.has(state)) yield `${id} is still ${state}: ${reason}`;
    else if (state !== 'succeeded' && reason === undefined) yield `${id} is ${state} without a reason`;
    else if (state === 'succeeded' && !world.disk.resultOfTask(id)) yield `${id} succeeded and has no result`;
  }
}

function* everyDeviceIsBack({ world, members }: Life): Iterable<string> {
  const { devices } = world.coordinator;
  for (const { id, status } of members) {
    const { presence } = devices.get(id);
    if (presence !== 'online' || status?.membership !== 'joined')
      yield `${id} is ${presence} and ${status?.membership}`;
  }
}

function* everyOutboxIsEmpty({ members }: Life): Iterable<string> {
  for (const { id, status } of members) {
    const { waiting = 0 } = status?.outbox ?? {};
    if (waiting > mostOnTheirWay) yield `${waiting} results wait on ${id}`;
  }
}

function* everyDurableReportIsKept({ world, cameras, members, nowMs }: Life): Iterable<string> {
  const kept = new Set<string>();
  for (const { work, device } of world.disk.results.values())
    if ('camera' in work) kept.add(`${device} ${work.camera} ${work.report}`);
  for (const { id: device, ids, disk, status } of members) {
    // So many may still be on their way: a frame that is lost five times in a row is asked again 25 s later.
    let onTheirWay = status?.outbox.waiting ?? 0;
    for (const [report, durableMs] of disk.reports) {
      const [camera = '', number] = report.split(' ');
      const ageMs = nowMs - durableMs;
      const isDue = cameras.get(camera)?.removed === false && ageMs >= deliveredWithinMs;
      // It may have been made under a former key.
      if (!isDue || ids.some((id) => kept.has(`${id} ${report}`))) continue;
      if (ageMs < unluckyWithinMs && onTheirWay-- > 0) continue;
      yield `report ${number} of ${camera} was durable on ${device} and was lost`;
    }
  }
}

function* camerasRunWhereTheyAreBound({ world, cameras, members }: Life): Iterable<string> {
  for (const [id, { removed }] of cameras) {
    const { device: bound, moves } = removed ? {} : world.coordinator.cameras.get(id);
    const there = members.filter(({ status }) => status?.cameras?.some(({ cameraId }) => cameraId === id));
    // One that moves goes on where it was until it runs at the new place.
    const last = moves?.at(-1);
    const sinceMs = world.coordinatorLife.wall.read(world.clock) - (last?.atMs ?? Number.NEGATIVE_INFINITY);
    const comesFrom = sinceMs < handOverMs ? last?.from : undefined;
    const others = there.filter(({ id: device }) => device !== bound && device !== comesFrom);
    for (const { id: device } of others)
      yield `${id} runs on ${device} and ${removed ? 'was removed' : `is bound to ${bound}`}`;
    if (bound !== undefined && !there.some(({ id: device }) => device === bound || device === comesFrom))
      yield `${id} is bound to ${bound} and does not run there`;
  }
}
