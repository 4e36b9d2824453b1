import { type Bench, type Figure, median, quantile, type Report } from './harness.ts';

/** Every benchmark, loaded when it is asked for: what one of them needs costs the others nothing. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  accuracy: async () => (await import('./benches/accuracy.ts')).accuracy,
  pipeline: async () => (await import('./benches/pipeline.ts')).pipeline,
  dispatch: async () => (await import('./benches/dispatch.ts')).dispatch,
  connections: async () => (await import('./benches/connections.ts')).connections,
  links: async () => (await import('./benches/links.ts')).linksBench,
  sealing: async () => (await import('./benches/sealing.ts')).sealingBench,
  loop: async () => (await import('./benches/loop.ts')).loop,
  sim: async () => (await import('./benches/sim.ts')).sim,
  place: async () => (await import('./benches/place.ts')).placeBench,
  world: async () => (await import('./benches/world.ts')).worldBench,
  footprint: async () => (await import('./benches/footprint.ts')).footprint,
  'models-p2p': async () => (await import('./benches/models-p2p.ts')).modelsP2p,
  page: async () => (await import('./benches/page.ts')).pageBench,
  recovery: async () => (await import('./benches/recovery.ts')).recoveryBench,
  'first-run': async () => (await import('./benches/first-run.ts')).firstRun,
};

// A benchmark that loads ONNX Runtime itself: see models/src/engine/onnx/onnx-engine.ts.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

const report: Report = {
  line: (text) => console.log(text),
  noise(name, samples) {
    const spread = (quantile(samples, 0.75) - quantile(samples, 0.25)) / median(samples);
    console.log(`noise: ${name} varied by ${(spread * 100).toFixed(1)} % (quartiles, ${samples.length} rounds)`);
  },
};

const names = process.argv.slice(2);
if (names.length === 0) {
  console.log('Benchmarks (npm run bench -- NAME):\n');
  for (const [name, load] of Object.entries(benches)) console.log(`  ${name.padEnd(12)} ${(await load()).title}`);
} else {
  for (const name of names) process.exitCode = Math.max(Number(process.exitCode ?? 0), await runBench(name));
}

/** 0: every goal met; 1: one missed; 2: it could not run. */
async function runBench(name: string): Promise<number> {
  const load = benches[name];
  if (!load) {
    console.error(`There is no benchmark ${name}. There are: ${Object.keys(benches).join(', ')}.`);
    return 2;
  }
  const bench = await load();
  const missing = await bench.missing?.();
  if (missing !== undefined) {
    console.error(`${name} cannot run: ${missing}`);
    return 2;
  }
  console.log(`${name}: ${bench.title}`);
  const figures = await bench.run(report);
  for (const figure of figures) console.log(lineOf(figure));
  console.log(JSON.stringify({ bench: name, figures }));
  return figures.every((figure) => figure.pass) ? 0 : 1;
}

function lineOf({ name, value, unit, floor, ratio, goal, pass }: Figure): string {
  const against = floor === null ? '' : `  floor ${floor}  ratio ${ratio}`;
  return `${pass ? 'pass' : 'MISS'}  ${name.padEnd(36)} ${String(value).padStart(9)} ${unit}${against}  (${goal})`;
}
