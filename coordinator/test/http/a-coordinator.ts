import { catalogueManifests } from '@shoal/models/manifest';
import {
  type AnalysisResult,
  attestResult,
  encodeJoinToken,
  encodeResult,
  newId,
  newIdentity,
  resultMediaType,
  type SceneResult,
  ShoalError,
  seededRandom,
  sha256Hex,
  silentLogger,
  writeBundle,
} from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import type {
  ApiKeyView,
  BlobRef,
  Camera,
  CameraView,
  Coordinator,
  DeviceView,
  Page,
  ResultRecord,
  Task,
  TokenView,
} from '../../src/domain/index.ts';
import { finalTaskStates } from '../../src/domain/index.ts';
import { EventBook } from '../../src/events/index.ts';
import { Followers } from '../../src/following/index.ts';
import { MemoryStore } from '../../src/store/memory/index.ts';
import { noSender, WebhookBook, type WebhookSender } from '../../src/webhooks/index.ts';
import { aPicture } from './a-picture.ts';

export interface ACoordinator extends Coordinator {
  /** Lets a task end as a device would: with a signed result, or without. */
  finish(id: string, result: AnalysisResult | Partial<Task>): void;
  sees(camera: string, result: AnalysisResult): ResultRecord;
  /** Pictures that cameras sent, as text. */
  readonly pushed: readonly string[];
  setHealth(status: 'ok' | 'degraded'): void;
  readonly device: DeviceView;
}

/**
 * The facade over plain maps: what the REST API promises is tested without a fleet behind it. `finishAtOnce` ends every task of
 * the `noop` pipeline as it is submitted.
 */
export function aCoordinator(options: { finishAtOnce?: boolean; webhookSender?: WebhookSender } = {}): ACoordinator {
  const random = seededRandom(7);
  const identity = newIdentity('coordinator', random);
  const deviceKey = newIdentity('device', random);
  const id = (prefix: string) => newId(prefix, systemClock.nowMs(), random);
  const tasks = new Map<string, Task>();
  const byKey = new Map<string, Task>();
  const records = new Map<string, ResultRecord>();
  const cameras = new Map<string, Camera>();
  const service = { met: true, detail: '5.0 frames a second' };
  const tokens = new Map<string, TokenView>();
  const keys = new Map<string, ApiKeyView>();
  const bytes = new Map<string, { ref: BlobRef; content: Uint8Array }>();
  const cameraRecords: ResultRecord[] = [];
  const listeners = new Set<() => void>();
  const resultFollowers = new Followers<{ record: ResultRecord; result: AnalysisResult }>('results');
  let status: 'ok' | 'degraded' = 'ok';
  let device = aDevice(deviceKey.id, deviceKey.publicKey);

  const missing = (what: string, which: string) =>
    new ShoalError('not-found', `there is no ${what} ${which}`, { [what]: which });
  const found = <T>(map: ReadonlyMap<string, T>, what: string, which: string): T => {
    const value = map.get(which);
    if (value === undefined) throw missing(what, which);
    return value;
  };
  const change = (task: Task) => {
    tasks.set(task.id, task);
    for (const listener of [...listeners]) listener();
  };
  const record = (work: ResultRecord['work'], result: AnalysisResult): ResultRecord => {
    const output = encodeResult(result);
    const nowMs = systemClock.nowMs();
    const attestation = attestResult(deviceKey, {
      input: { name: 'input', sha256: sha256Hex('input') },
      output,
      outputMediaType: resultMediaType,
      software: 'test/1',
      pipeline: result.pipeline,
      parameters: {},
      model: null,
      work,
      startedAtMs: nowMs,
      finishedAtMs: nowMs,
    });
    return { id: id('res'), work, device: deviceKey.id, receivedAtMs: nowMs, result: output, attestation };
  };
  const until = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = () => {
        listeners.delete(done);
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        listeners.delete(done);
        reject(signal.reason);
      };
      if (signal.aborted) reject(signal.reason);
      listeners.add(done);
      signal.addEventListener('abort', aborted, { once: true });
    });

  const store = new MemoryStore(systemClock);
  const pushed: string[] = [];
  const events = new EventBook({ clock: systemClock, store });
  const tellEvents = (seen: ResultRecord, scene: SceneResult) => {
    const { changed, keep } = events.take(seen, scene);
    void store.commit(changed.map((event) => ({ kind: 'event', event }))).then(keep);
  };

  const coordinator: ACoordinator = {
    name: 'coordinator',
    get webhooks() {
      return webhooks;
    },
    pushed,
    events,
    identity,
    get device() {
      return device;
    },
    start: async () => {},
    drain: async () => {},
    stop: async () => {},
    setHealth: (next) => {
      status = next;
    },
    finish(taskId, end) {
      const task = found(tasks, 'task', taskId);
      const endedAtMs = systemClock.nowMs();
      if (!('kind' in end)) return change({ ...task, endedAtMs, state: 'failed', ...end });
      const attempt = anAttempt(device.id, endedAtMs);
      records.set(taskId, record({ task: taskId, attempt: attempt.id }, end));
      change({ ...task, state: 'succeeded', endedAtMs, attempts: [attempt] });
    },
    sees(camera, result) {
      const seen = record({ camera, report: cameraRecords.length + 1 }, result);
      cameraRecords.unshift(seen);
      resultFollowers.tell({ record: seen, result });
      if (result.kind === 'scene') tellEvents(seen, result);
      return seen;
    },
    models: catalogueManifests,
    apiKeys: {
      create: async (name, camera) => {
        const key = { id: id('key'), name, createdAtMs: systemClock.nowMs(), ...(camera && { camera }) };
        keys.set(`shoal_${key.id}`, key);
        return { ...key, key: `shoal_${key.id}` };
      },
      verify: (key) => {
        const known = keys.get(key);
        return known?.camera === undefined ? known : undefined;
      },
      mayPush: (key, camera) => (keys.get(key)?.camera ?? camera) === camera && keys.has(key),
      list: () => [...keys.values()],
      revoke: async (which) => {
        const word = [...keys].find(([, key]) => key.id === which)?.[0];
        if (word === undefined) throw missing('key', which);
        keys.delete(word);
      },
    },
    statistics: () => ({
      tasksSubmitted: tasks.size,
      tasksEnded: { queued: 0, running: 0, succeeded: records.size, failed: 0, expired: 0, cancelled: 0 },
      attemptsEnded: { offered: 0, accepted: 0, succeeded: records.size, failed: 0, refused: 0, lost: 0, cancelled: 0 },
      placementsMade: records.size,
      placementsFailed: 0,
      resultsKept: records.size,
      resultsDropped: 0,
      resultsRefused: 0,
      commits: 1,
      changesCommitted: 1,
      advertsHeard: 0,
      framesRefused: { 'message.signature': 2 },
    }),
    health: () => ({
      status,
      checks: { store: { ok: status === 'ok', detail: status === 'ok' ? 'writes' : 'the disk is full' } },
      devices: { online: 1, known: 1 },
      tasks: { queued: [...tasks.values()].filter(({ state }) => state === 'queued').length, running: 0 },
    }),
    devices: {
      list: () => [device],
      async *watch(signal) {
        yield { kind: 'snapshot', devices: [device] };
        yield { kind: 'changed', device: { ...device, presence: 'suspect' } };
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
      get: (which) => {
        if (which !== device.id) throw missing('device', which);
        return device;
      },
      isMember: (which) => which === device.id && !device.revoked,
      update: async (which, changes) => {
        if (which !== device.id) throw missing('device', which);
        device = { ...device, ...changes };
        return device;
      },
      revoke: async (which) => {
        if (which !== device.id) throw missing('device', which);
        device = { ...device, revoked: true };
      },
      approve: async (which) => {
        if (which !== device.id) throw missing('device', which);
        if (!device.pending) throw new ShoalError('conflict', 'it does not wait', { device: which });
        device = { ...device, pending: false };
        return device;
      },
      reject: async (which) => {
        if (which !== device.id) throw missing('device', which);
        device = { ...device, revoked: true };
      },
    },
    tokens: {
      create: async ({ uses, lifetimeMs, labels, approve = false }) => {
        const createdAtMs = systemClock.nowMs();
        const expiresAtMs = createdAtMs + lifetimeMs;
        const token = { id: id('tok'), createdAtMs, expiresAtMs, usesLeft: uses, approve, labels };
        tokens.set(token.id, token);
        const addresses = ['mqtt://192.168.1.20:1883', 'mqtt://127.0.0.1:1883'];
        const secret = random.bytes(16);
        return {
          ...token,
          word: encodeJoinToken({ addresses, coordinator: identity, tokenId: token.id, secret }),
        };
      },
      list: () => [...tokens.values()],
      revoke: async (which) => {
        if (!tokens.delete(which)) throw missing('token', which);
      },
    },
    tasks: {
      submit: async (spec, key) => {
        const first = key === undefined ? undefined : byKey.get(key);
        if (first && JSON.stringify(first.spec) !== JSON.stringify(spec)) {
          throw new ShoalError('conflict', 'the idempotency key was used for another task', { task: first.id });
        }
        if (first) return found(tasks, 'task', first.id);
        if (spec.pipeline !== 'noop' && !spec.input) {
          throw new ShoalError('input.invalid', `the pipeline ${spec.pipeline} needs an input`, { field: 'input' });
        }
        const createdAtMs = systemClock.nowMs();
        const task: Task = {
          id: id('tsk'),
          spec,
          state: 'queued',
          createdAtMs,
          expiresAtMs: createdAtMs + spec.deadlineMs,
          attempts: [],
          ...(key === undefined ? {} : { idempotencyKey: key }),
        };
        if (key !== undefined) byKey.set(key, task);
        change(task);
        if (options.finishAtOnce) coordinator.finish(task.id, { schema: 1, kind: 'empty', pipeline: 'noop' });
        return task;
      },
      get: async (which) => found(tasks, 'task', which),
      list: async ({ limit, cursor, state }) =>
        page(
          [...tasks.values()].reverse().filter((task) => !state || task.state === state),
          limit,
          cursor,
        ),
      cancel: async (which) => {
        const task = found(tasks, 'task', which);
        if (!finalTaskStates.has(task.state)) change({ ...task, state: 'cancelled', endedAtMs: systemClock.nowMs() });
        return found(tasks, 'task', which);
      },
      wait: async (which, waitMs, signal) => {
        const over = new AbortController();
        const cancel = systemClock.after('wait', waitMs, () => over.abort());
        const either = AbortSignal.any([signal, over.signal]);
        while (!finalTaskStates.has(found(tasks, 'task', which).state) && !over.signal.aborted) {
          await until(either).catch((error) => {
            if (signal.aborted) throw error;
          });
        }
        cancel();
        return found(tasks, 'task', which);
      },
      async *watch(which, signal) {
        for (let last: Task | undefined; ; ) {
          const task = found(tasks, 'task', which);
          if (task !== last) yield task;
          last = task;
          if (finalTaskStates.has(task.state)) return;
          if (tasks.get(which) === task) await until(signal);
        }
      },
    },
    results: {
      ofTask: async (which) => {
        const kept = records.get(which);
        if (!kept) throw new ShoalError('not-found', `the task ${which} has no result`, { task: which });
        return kept;
      },
      oneOfCamera: async (which, resultId) => {
        found(cameras, 'camera', which);
        const kept = cameraRecords.find((one) => one.id === resultId);
        if (!kept) throw new ShoalError('not-found', `there is no result ${resultId}`);
        return kept;
      },
      ofCamera: async (which, { limit, cursor }) => {
        found(cameras, 'camera', which);
        return page(cameraRecords, limit, cursor);
      },
      watch: ({ camera }, signal) =>
        resultFollowers.follow(
          ({ record: { work } }) => camera === undefined || ('camera' in work && work.camera === camera),
          signal,
        ),
      bundle: ({ result, attestation }) => writeBundle({ result, attestation, publicKey: deviceKey.publicKey }),
    },
    pictures: {
      newest: async (camera) => aPicture(found(cameras, 'camera', camera).id),
      watch(wanted) {
        const pictures = wanted.map((camera) => aPicture(found(cameras, 'camera', camera).id));
        return (async function* () {
          yield* pictures;
        })();
      },
    },
    discovery: {
      find: async () => [{ name: 'porch', address: '10.0.0.9', sources: ['rtsp://10.0.0.9/stream'], via: 'mdns' }],
    },
    cameras: {
      create: async (spec) => {
        const camera: Camera = {
          id: id('cam'),
          spec,
          revision: 1,
          createdAtMs: systemClock.nowMs(),
          device: device.id,
          reason: 'the only device',
          refused: [],
          formerDevices: [],
        };
        cameras.set(camera.id, camera);
        return camera;
      },
      update: async (which, spec) => {
        const camera = found(cameras, 'camera', which);
        const next = { ...camera, spec, revision: camera.revision + 1 };
        cameras.set(which, next);
        return next;
      },
      remove: async (which) => {
        found(cameras, 'camera', which);
        cameras.delete(which);
      },
      get: (which): CameraView => ({ ...found(cameras, 'camera', which), service }),
      list: () => Array.from(cameras.values(), (camera) => ({ ...camera, service })),
      push: (which, picture) => {
        found(cameras, 'camera', which);
        pushed.push(Buffer.from(picture).toString('latin1'));
        return 'taken';
      },
    },
    blobs: {
      put: async (content, mediaType) => {
        const parts: Uint8Array[] = [];
        for await (const part of content) parts.push(part);
        const whole = Buffer.concat(parts);
        const ref = { digest: sha256Hex(whole), sizeBytes: whole.length, mediaType };
        bytes.set(ref.digest, { ref, content: whole });
        return ref;
      },
      stat: async (digest) => bytes.get(digest)?.ref,
      read: async (digest, range) => {
        const { content } = found(bytes, 'blob', digest);
        return range ? content.subarray(range.offset, range.offset + range.length) : content;
      },
    },
  };
  const { cameras: ofCameras, pictures } = coordinator;
  const { webhookSender: sender = noSender } = options;
  const tells = { clock: systemClock, random, logger: silentLogger, store, sender, identity };
  const webhooks = new WebhookBook({ ...tells, events, cameras: ofCameras, pictures });
  webhooks.start();
  return coordinator;
}

function page<T extends { id: string }>(items: readonly T[], limit: number, cursor?: string): Page<T> {
  const start = cursor === undefined ? 0 : items.findIndex(({ id }) => id === cursor) + 1;
  const shown = items.slice(start, start + limit);
  const last = shown.at(-1);
  return start + limit < items.length && last ? { items: shown, nextCursor: last.id } : { items: shown };
}

function anAttempt(device: string, endedAtMs: number): Task['attempts'][number] {
  const times = { queueMs: 0, transferMs: 1, loadMs: 0, inferenceMs: 11, totalMs: 12, p95Ms: 15 };
  const cost = { lateness: 0, time: 0.012, energy: 0.06, accuracy: 0, scarcity: 0, decode: 0, move: 0, total: 0.072 };
  return {
    id: 'att_1',
    device,
    model: 'efficientdet-lite0',
    variant: 'int8',
    state: 'succeeded',
    startedAtMs: endedAtMs - 40,
    endedAtMs,
    placement: {
      strategy: 'cost',
      chosen: { device, model: 'efficientdet-lite0', variant: 'int8', accuracy: 0.345, ...times, energyJ: 0.06, cost },
      together: true,
      others: [],
      considered: 2,
      refused: [{ device: `dev_${'b'.repeat(26)}`, reason: 'battery', detail: 'battery at 22 %, floor 30 %' }],
    },
    timings: { queuedMs: 1, transferMs: 2, loadMs: 0, decodeMs: 6, inferenceMs: 12, totalMs: 21 },
  };
}

function aDevice(id: string, publicKey: Uint8Array): DeviceView {
  return {
    id,
    publicKey,
    name: 'pi-5',
    labels: { site: 'barn' },
    joinedAtMs: Date.UTC(2026, 0, 1),
    tokenId: 'tok_0',
    draining: false,
    revoked: false,
    presence: 'online',
    lastSeenMs: Date.UTC(2026, 0, 2),
    running: 0,
    link: { up: ['mqtt'], rttMs: 12.4, bytesPerMs: 4_100 },
    capability: {
      hostName: 'pi-5',
      software: 'shoal-agent/0.1.0',
      platform: 'linux',
      arch: 'arm64',
      board: 'Raspberry Pi 5 Model B Rev 1.0',
      cpuModel: 'Cortex-A76',
      cores: 4,
      cpuFeatures: ['asimddp'],
      memoryBytes: 8 * 2 ** 30,
      diskFreeBytes: 20 * 2 ** 30,
      accelerators: [],
      powerSource: 'battery',
      hasBattery: true,
      runtimes: ['onnxruntime-node/1.30.0 cpu'],
      decoders: ['h264'],
      taskSlots: 2,
      container: false,
      phone: false,
      batteryWh: 20,
      idleWatts: null,
    },
    profiles: [
      {
        model: 'efficientdet-lite0',
        variant: 'int8',
        sha256: new Uint8Array(32),
        engine: 'onnx',
        p50Ms: 38,
        p95Ms: 44,
        loadMs: 90,
        memoryBytes: 60 << 20,
        energyMj: null,
        samples: 20,
        confidence: 0.9,
        measuredAtMs: Date.UTC(2026, 0, 1),
      },
    ],
    telemetry: {
      batteryPct: 80,
      charging: false,
      temperatureC: null,
      throttled: null,
      cpuLoad: 0.5,
      memoryAvailableBytes: 4 * 2 ** 30,
      running: 0,
      queued: 0,
      outbox: 0,
      loadedModels: [],
      links: [
        { kind: 'mqtt', up: true, inUse: true, rttMs: 9.2, loss: 0.125 },
        { kind: 'libp2p', up: false, inUse: false, rttMs: null, loss: 0 },
      ],
      cameras: [],
    },
  };
}
