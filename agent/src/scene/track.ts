import type { Box } from '@shoal/models';
import { type Appearance, blended } from './appearance.ts';
import { MovingCoordinate } from './kalman.ts';

/** A thing as it was found on one picture. */
export interface Sighting {
  readonly label: string;
  /** 0..1 */
  readonly score: number;
  /** Pixels of the source picture. */
  readonly box: Box;
  readonly appearance?: Appearance;
}

/** Standard deviations, in heights of the thing: of a measured position and size, and of what changes their speeds in a second. */
const positionNoise = 0.05;
const sizeNoise = 0.1;
const acceleration = 1.5;
const growth = 0.3;
const firstSpeedNoise = 1.5;
/** How much one more look counts in what a thing looks like. */
const newLook = 0.15;

/** A thing that is followed from picture to picture. */
export class Track {
  readonly id: number;
  /** When it was first and last found, in the time of the device that found it, ms. */
  readonly firstMs: number;
  lastMs: number;
  score: number;
  /** Pictures on which it was found, and in a row on which it was not. */
  hits = 1;
  missed = 0;
  /** For how long it was not found, as far as pictures were looked at, s. */
  missedSeconds = 0;
  confirmed = false;
  appearance: Appearance | undefined;
  readonly #votes = new Map<string, number>();
  readonly #x: MovingCoordinate;
  readonly #y: MovingCoordinate;
  readonly #width: MovingCoordinate;
  readonly #height: MovingCoordinate;

  constructor(id: number, { label, score, box, appearance }: Sighting, atMs: number) {
    const { x, y, width, height } = box;
    this.id = id;
    this.firstMs = atMs;
    this.lastMs = atMs;
    this.score = score;
    this.appearance = appearance;
    this.#votes.set(label, score);
    const coordinate = (value: number, noise: number, speed: number) =>
      new MovingCoordinate(value, noise * height, speed * height);
    this.#x = coordinate(x + width / 2, positionNoise, firstSpeedNoise);
    this.#y = coordinate(y + height / 2, positionNoise, firstSpeedNoise);
    this.#width = coordinate(width, sizeNoise, growth);
    this.#height = coordinate(height, sizeNoise, growth);
  }

  /** What it was taken for most often, by score. */
  get label(): string {
    let [best, most] = ['', -1];
    for (const [label, votes] of this.#votes) if (votes > most) [best, most] = [label, votes];
    return best;
  }

  /** Where it is, or is expected. */
  get box(): Box {
    const [width, height] = [Math.max(1, this.#width.position), Math.max(1, this.#height.position)];
    return { x: this.#x.position - width / 2, y: this.#y.position - height / 2, width, height };
  }

  /** How far from there it may be, in its heights: a standard deviation. */
  get uncertainty(): number {
    return Math.max(this.#x.uncertainty, this.#y.uncertainty) / this.#size;
  }

  /** Heights of its own that it moves in a second. */
  get speed(): number {
    return Math.hypot(this.#x.speed, this.#y.speed) / this.#size;
  }

  predict(seconds: number): void {
    const size = this.#size;
    this.#x.predict(seconds, acceleration * size);
    this.#y.predict(seconds, acceleration * size);
    this.#width.predict(seconds, growth * size);
    this.#height.predict(seconds, growth * size);
  }

  found({ label, score, box: { x, y, width, height }, appearance }: Sighting, atMs: number): void {
    this.hits += 1;
    this.missed = 0;
    this.missedSeconds = 0;
    this.lastMs = atMs;
    this.score = score;
    this.#votes.set(label, (this.#votes.get(label) ?? 0) + score);
    if (appearance) this.appearance = this.appearance ? blended(this.appearance, appearance, newLook) : appearance;
    this.#x.correct(x + width / 2, positionNoise * height);
    this.#y.correct(y + height / 2, positionNoise * height);
    this.#width.correct(width, sizeNoise * height);
    this.#height.correct(height, sizeNoise * height);
  }

  notFound(seconds: number): void {
    this.missed += 1;
    this.missedSeconds += seconds;
    // Its way goes on; what its size did last was most likely the beginning of being covered.
    this.#width.speed = 0;
    this.#height.speed = 0;
  }

  get #size(): number {
    return Math.max(1, this.#height.position);
  }
}
