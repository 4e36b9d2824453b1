import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Unit tests run the sources; worker threads and child processes run what `tsc -b` built.
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/bench/**'],
    // Some tests load ONNX Runtime themselves: see models/src/engine/onnx/onnx-engine.ts.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // By default one core would be left idle, on a machine with two the half of it.
    maxWorkers: '100%',
    // Files share the processes they run in, so that each module is loaded once: no test changes one, and none leaves anything running.
    isolate: false,
  },
});
