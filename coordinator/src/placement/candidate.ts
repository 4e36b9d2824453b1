import type { PlacementCandidate, PlacementCost } from '../domain/index.ts';
import type { Choice } from './choice.ts';
import { type CostContext, costOf } from './cost.ts';
import { p95Ms } from './duration.ts';
import type { Draft } from './estimate.ts';
import type { DeviceSnapshot } from './snapshot.ts';
import type { Rung } from './streams/decode-ladder.ts';

/** A device that can take the work, with one choice of what it would run. Written anew for each while a fleet is looked through. */
export class Candidate implements Draft {
  device: DeviceSnapshot;
  choice: Choice | undefined;
  queueMs = 0;
  transferMs = 0;
  loadMs = 0;
  runMs = 0;
  totalMs = 0;
  varianceMs2 = 0;
  energyJ = 0;
  measured = false;
  unproven = false;
  /** It would be late by what was said of it, and is tried all the same. */
  trial = false;
  moreBytes = 0;
  load = 0;
  rung: Rung | undefined;
  fps = 1;
  /** What a joule costs on the device, in joules of the mains. */
  price = 1;
  readonly #context: CostContext;

  constructor(device: DeviceSnapshot, context: CostContext) {
    this.device = device;
    this.#context = context;
  }

  /** Made when it is asked for: most strategies do not. */
  get cost(): PlacementCost {
    return costOf(this, this.#context);
  }

  /** For a person. What does not apply is left out, without a copy: the best of each search are shown. */
  shown(): PlacementCandidate {
    const { choice, rung } = this;
    const shown: Mutable<PlacementCandidate> = {
      device: this.device.id,
      queueMs: this.queueMs,
      transferMs: this.transferMs,
      loadMs: this.loadMs,
      inferenceMs: this.runMs,
      totalMs: this.totalMs,
      p95Ms: p95Ms(this.totalMs, this.varianceMs2),
      energyJ: this.energyJ,
      cost: this.cost,
    };
    if (choice) {
      shown.model = choice.model;
      shown.variant = choice.variant.name;
      shown.accuracy = choice.accuracy;
    }
    if (this.trial) shown.trial = true;
    if (!this.measured) shown.guessed = true;
    if (rung) {
      shown.decode = rung.level;
      shown.fps = Math.min(this.fps, rung.fps);
    }
    return shown;
  }
}

type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] };
