/** What of a workspace runs: each becomes `bundle/<name>.js`. Threads and child processes look for theirs in the folder they run from. */
export interface Program {
  /** Sources from the root of the repository, by the name that they are looked for under. */
  readonly entries: Readonly<Record<string, string>>;
  /** Whether it runs models: then ONNX Runtime is carried, for one platform. */
  readonly engine: boolean;
  /** The folder of its page, as Vite built it: becomes `bundle/dashboard`. */
  readonly page?: string;
}

const engineEntries = {
  worker: 'models/src/engine/onnx/worker.ts',
  'probe-child': 'models/src/engine/onnx/probe-child.ts',
  'prepare-child': 'models/src/engine/onnx/prepare-child.ts',
  'import-worker': 'models/src/import-tflite/import-worker.ts',
};

/** Workspaces that pack as programs. The others are libraries: they pack as tsc built them. */
export const programs: Readonly<Record<string, Program>> = {
  agent: {
    entries: {
      main: 'agent/src/main.ts',
      'measure-main': 'agent/src/measure-main.ts',
      'fetch-main': 'agent/src/fetch-main.ts',
      ...engineEntries,
    },
    engine: true,
  },
  coordinator: {
    entries: {
      main: 'coordinator/src/main.ts',
      'checkpoint-worker': 'coordinator/src/store/sqlite/real/checkpoint-worker.ts',
    },
    engine: false,
    page: 'coordinator/dashboard/dist',
  },
  models: { entries: { main: 'models/src/main.ts', ...engineEntries }, engine: true },
  simulations: { entries: { main: 'simulations/src/main.ts' }, engine: false },
};
