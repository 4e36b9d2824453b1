import type { WorkPlaces } from '@shoal/agent';
import { createSimulatedEngine, type Engine } from '@shoal/models';
import type { Clock } from '@shoal/protocol';
import { CrashableClock, WallClock } from './crashable-clock.ts';
import type { SimulatedMachine } from './simulated-machine.ts';

interface Running {
  readonly clock: CrashableClock;
  readonly engine: Engine;
  readonly places: WorkPlaces;
}

/** The one process in which the agents of several coordinators run on a device: they share its engine and its places for work. */
export class SharedProcessor {
  readonly #clock: Clock;
  readonly #machine: SimulatedMachine;
  readonly #makePlaces: () => WorkPlaces;
  #running: Running | undefined;

  constructor(clock: Clock, machine: SimulatedMachine, makePlaces: () => WorkPlaces) {
    this.#clock = clock;
    this.#machine = machine;
    this.#makePlaces = makePlaces;
  }

  /** For the agents that run now; others after a crash. */
  get current(): Running {
    this.#running ??= this.#start();
    return this.#running;
  }

  crash(): void {
    this.#running?.clock.crash();
    this.#running = undefined;
  }

  #start(): Running {
    const clock = new CrashableClock(this.#clock, new WallClock());
    return { clock, engine: engineOf(clock, this.#machine), places: this.#makePlaces() };
  }
}

/** The engine of a simulated machine. */
export function engineOf(clock: Clock, machine: SimulatedMachine): Engine {
  const { loadMs, slots = 1, provider } = machine.spec;
  return createSimulatedEngine(
    { clock },
    {
      concurrency: slots,
      queueLimit: 64,
      ...(provider !== undefined && { provider }),
      loadMs: () => loadMs,
      inferenceMs: ({ manifest, variant }) => machine.infer(manifest.name, variant.name),
    },
  );
}
