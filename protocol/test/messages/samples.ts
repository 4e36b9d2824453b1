import type * as m from '@shoal/protocol';

/**
 * One message of every type with every field set. When a field is added to a type, its old sample stays as it is and a new one is put beside it
 * (`Telemetry/2`), so that the bytes of the old one are checked for ever.
 */
const digest = new Uint8Array(32).fill(0xd1);

const accelerator: m.AcceleratorInit = { kind: 'npu', vendor: 'Hailo', name: 'Hailo-8L', memoryBytes: 8_589_934_592 };

const capability: m.CapabilityInit = {
  hostName: 'porch',
  software: 'shoal-agent/0.1.0',
  platform: 'linux',
  arch: 'arm64',
  board: 'Raspberry Pi 5 Model B Rev 1.0',
  cpuModel: 'Cortex-A76',
  cores: 4,
  cpuFeatures: ['asimd', 'asimddp'],
  memoryBytes: 8_446_775_296,
  diskFreeBytes: 55_834_574_848,
  accelerators: [accelerator],
  powerSource: 'mains',
  hasBattery: true,
  runtimes: ['onnxruntime-node/1.30.0 cpu'],
  decoders: ['h264', 'hevc'],
  taskSlots: 2,
  container: true,
  phone: true,
};

const variantProfile: m.VariantProfileInit = {
  model: 'efficientdet-lite0',
  variant: 'int8',
  sha256: digest,
  engine: 'onnx',
  p50Ms: 41.5,
  p95Ms: 55.25,
  loadMs: 210,
  memoryBytes: 60_000_000,
  energyMj: 120.5,
  samples: 30,
  confidence: 0.875,
  measuredAtMs: 1_767_225_600_000,
};

const cameraStatus: m.CameraStatusInit = {
  cameraId: 'cam_1',
  state: 'running',
  reason: 'as asked',
  fps: 4.75,
  frames: 9_007_199_254_740_991,
  dropped: 3,
  latencyP50Ms: 62.5,
  latencyP95Ms: 90,
  restarts: 1,
};

const keyShare: m.KeyShareInit = { algorithm: 'x25519-hkdf-sha256-chacha20-poly1305', share: digest };

const seal: m.SealInit = {
  algorithm: 'x25519-hkdf-sha256-chacha20-poly1305',
  session: digest.subarray(16),
  ciphertext: Uint8Array.of(3),
  tag: digest.subarray(16),
};

const attemptTimings: m.AttemptTimingsInit = {
  queuedMs: 1.5,
  transferMs: 2.5,
  loadMs: 3.5,
  decodeMs: 4.5,
  inferenceMs: 5.5,
  totalMs: 17.5,
};

const payloads = {
  error: { code: 'work.refused', message: 'the device is hot' },
  empty: {},
  hello: {
    tokenId: 'tok_1',
    tokenProof: digest,
    capability,
    profiles: [variantProfile],
    runningAttempts: ['att_1', 'att_2'],
    runningCameras: ['cam_1'],
  },
  welcome: {
    telemetryIntervalMs: 5000,
    livenessTimeoutMs: 20_000,
    coordinatorTimeMs: 1_767_225_600_123,
    deviceName: 'porch',
    labels: { site: 'home' },
  },
  telemetry: {
    batteryPct: 81.5,
    charging: false,
    temperatureC: 51.25,
    throttled: true,
    cpuLoad: 0.5,
    memoryAvailableBytes: 4_000_000_000,
    running: 1,
    queued: 2,
    outbox: 3,
    cameras: [cameraStatus],
  },
  profileReport: { profiles: [variantProfile] },
  goodbye: { reason: 'stopped' },
  succession: { algorithm: 'ed25519', publicKey: digest, signature: Uint8Array.of(9, 8, 7) },
  taskAssignment: {
    taskId: 'tsk_1',
    attemptId: 'att_1',
    pipeline: 'detect',
    model: 'efficientdet-lite0',
    variant: 'int8',
    inputDigest: digest,
    inputSizeBytes: 5_000_000_000,
    inputMediaType: 'image/jpeg',
    parametersJson: '{"threshold":0.4}',
    timeLeftMs: 30_000,
    leaseMs: 60_000,
  },
  taskAdmission: { attemptId: 'att_1', accepted: true, reason: 'busy', queued: 4 },
  taskOutcome: {
    taskId: 'tsk_1',
    attemptId: 'att_1',
    result: Uint8Array.of(0x7b, 0x7d),
    attestation: Uint8Array.of(0x7b, 0x20, 0x7d),
    errorCode: 'engine.failed',
    errorMessage: 'no memory',
    timings: attemptTimings,
  },
  taskCancellation: { taskId: 'tsk_1', attemptId: 'att_1', reason: 'asked for' },
  cameraAssignment: {
    cameraId: 'cam_1',
    revision: 7,
    name: 'Porch',
    source: 'rtsp://camera/stream',
    pipeline: 'detect',
    model: 'efficientdet-lite0',
    variant: 'int8',
    targetFps: 5,
    parametersJson: '{}',
    loop: true,
  },
  modelHint: { model: 'efficientdet-lite0', variant: 'int8' },
  cameraRemoval: { cameraId: 'cam_1', reason: 'deleted' },
  cameraReport: { cameraId: 'cam_1', number: 42, result: Uint8Array.of(1), attestation: Uint8Array.of(2) },
  pushedPicture: { cameraId: 'cam_1' },
  pictureRequest: { cameraId: 'cam_1', unlessCapturedAtMs: 1_763_000_000_123, waitMs: 5_000 },
  picture: { cameraId: 'cam_1', capturedAtMs: 1_763_000_000_123, ageMs: 41.5, number: 42, result: Uint8Array.of(1) },
  blobRequest: { digest, offset: 1_048_576, length: 524_288 },
  blobChunk: { digest, offset: 1_048_576, totalBytes: 5_000_000_000 },
  sessionOffer: { shares: [keyShare] },
  sessionAnswer: { share: keyShare, session: digest.subarray(16) },
  sessionLost: { session: digest.subarray(16) },
} satisfies { readonly [Name in m.PayloadName]: m.MessageInit[Name] };

const message = { id: 11, replyTo: 12, firstAttachment: 1, attachmentCount: 2 };

/** Each payload inside of a Message: the numbers of the oneof are a promise too. */
const messages = Object.entries(payloads).map(
  ([name, payload]) => [`Message/${name}`, { ...message, [name]: payload }] as const,
);

const types = {
  Envelope: {
    body: Uint8Array.of(8, 1),
    algorithm: 'ed25519',
    signature: new Uint8Array(64).fill(0x51),
    publicKey: digest,
    attachments: [Uint8Array.of(9)],
  },
  Body: {
    version: 1,
    sender: 'dev_a',
    recipient: 'crd_b',
    sequence: 9_007_199_254_740_991,
    sentAtMs: 1_767_225_600_000,
    messages: [{ id: 1, empty: {} }],
    attachmentDigests: [digest],
  },
  'Message/expiring': { ...message, expiresAtMs: 1_767_225_600_000, empty: {} },
  'Body/2': { version: 1, sender: 'dev_a', recipient: 'crd_b', sequence: 9_007_199_254_740_991, seal },
  Seal: seal,
  KeyShare: keyShare,
  SessionOffer: payloads.sessionOffer,
  SessionAnswer: payloads.sessionAnswer,
  SessionLost: payloads.sessionLost,
  Capability: capability,
  ModelHint: payloads.modelHint,
  'Capability/2': { ...capability, batteryWh: 11.5, idleWatts: 2.75 },
  Accelerator: accelerator,
  VariantProfile: variantProfile,
  CameraStatus: cameraStatus,
  'CameraStatus/2': {
    ...cameraStatus,
    decode: 'keyframes',
    seenFps: 0.5,
    sourceFps: 25,
    sourceWidth: 1280,
    sourceHeight: 720,
    decodeCores: 0.0625,
  },
  AttemptTimings: attemptTimings,
  Empty: payloads.empty,
  ErrorReply: payloads.error,
  Hello: payloads.hello,
  'Hello/2': { ...payloads.hello, succession: Uint8Array.of(1, 2, 3) },
  Welcome: payloads.welcome,
  'Welcome/2': { ...payloads.welcome, membership: Uint8Array.of(10, 2), revoked: ['dev_aaaaaaaaaaaaaaaaaaaaaaaaaa'] },
  FleetMembership: { statement: Uint8Array.of(1, 2), signature: new Uint8Array(64).fill(7), algorithm: 'ed25519' },
  MembershipStatement: { deviceId: 'dev_aaaaaaaaaaaaaaaaaaaaaaaaaa', expiresAtMs: 1_767_225_600_123 },
  Telemetry: payloads.telemetry,
  'Telemetry/2': { ...payloads.telemetry, loadedModels: ['efficientdet-lite0/int8'] },
  'Telemetry/3': { ...payloads.telemetry, links: [{ kind: 'libp2p', up: true, inUse: true, rttMs: 3.5, loss: 0.125 }] },
  LinkState: { kind: 'libp2p', up: true, inUse: true, rttMs: 3.5, loss: 0.125 },
  ProfileReport: payloads.profileReport,
  Goodbye: payloads.goodbye,
  Succession: payloads.succession,
  TaskAssignment: payloads.taskAssignment,
  TaskAdmission: payloads.taskAdmission,
  TaskOutcome: payloads.taskOutcome,
  TaskCancellation: payloads.taskCancellation,
  CameraAssignment: payloads.cameraAssignment,
  'CameraAssignment/2': { ...payloads.cameraAssignment, decode: 'substream', substream: 'rtsp://camera/small' },
  CameraRemoval: payloads.cameraRemoval,
  CameraReport: payloads.cameraReport,
  PushedPicture: payloads.pushedPicture,
  PictureRequest: payloads.pictureRequest,
  Picture: payloads.picture,
  BlobRequest: payloads.blobRequest,
  BlobChunk: payloads.blobChunk,
  FileWanted: { sha256: digest, sizeBytes: 4_589_217 },
  PieceListRequest: {},
  PieceOrder: { pieces: Uint8Array.of(0b0000_0101, 0x80), allowed: 12 },
  PieceHoldings: { root: digest, pieces: Uint8Array.of(0xff, 0x01), whole: true, sparing: true },
  PieceList: { hashes: new Uint8Array(64).fill(0xa5) },
  Piece: { index: 7, bytes: Uint8Array.of(1, 2, 3) },
  PieceRefusal: { code: 'not-found' },
  BlocksIntroduction: { membership: Uint8Array.of(1, 2, 3) },
  'BlocksIntroduction/2': { refusal: 'device.expired' },
  BlocksRequest: { file: { sha256: digest, sizeBytes: 4_589_217 } },
  'BlocksRequest/2': { list: {} },
  'BlocksRequest/3': { order: { pieces: Uint8Array.of(0xff), allowed: 4 } },
  BlocksReply: { holdings: { root: digest, whole: true } },
  'BlocksReply/2': { list: { hashes: new Uint8Array(32).fill(0xa5) } },
  'BlocksReply/3': { piece: { index: 1, bytes: Uint8Array.of(9) } },
  'BlocksReply/4': { refusal: { code: 'queue.full' } },
};

/** By name: the type, and behind a `/` which sample of it. */
export const samples: ReadonlyMap<string, object> = new Map<string, object>([...Object.entries(types), ...messages]);
