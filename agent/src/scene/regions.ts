import type { Point, SceneCrossing, SceneParameters } from '@shoal/protocol';
import { isWithin, sideOf } from './geometry.ts';

/** Pictures in a row that have to agree before a thing has entered or left a zone. */
const agreeing = 2;
/** Nearer to a line than this share of the picture, a thing is on neither side of it. */
const lineWidth = 0.01;

/** Where one thing stands: zones, and lines that it goes across. */
export class Whereabouts {
  readonly #parameters: Pick<SceneParameters, 'zones' | 'lines'>;
  readonly #zones = new Map<string, { inside: boolean; agree: number }>();
  /** On which side of a line it was last, and where. */
  readonly #sides = new Map<string, { readonly side: number; readonly foot: Point }>();
  readonly #dwellMs = new Map<string, number>();
  #lastMs: number | undefined;

  constructor(parameters: Pick<SceneParameters, 'zones' | 'lines'>) {
    this.#parameters = parameters;
  }

  /** Names of the zones that it is in now. */
  get zones(): readonly string[] {
    return [...this.#zones].filter(([, { inside }]) => inside).map(([name]) => name);
  }

  /** How long it was in each zone that it has ever entered, ms. */
  get dwellMs(): ReadonlyMap<string, number> {
    return this.#dwellMs;
  }

  /** Its foot is there now. Returns the lines that it went across. */
  at(foot: Point, atMs: number): readonly Pick<SceneCrossing, 'line' | 'direction'>[] {
    const elapsedMs = Math.max(0, atMs - (this.#lastMs ?? atMs));
    this.#lastMs = atMs;
    for (const [name, polygon] of this.#parameters.zones) this.#atZone(name, isWithin(foot, polygon), elapsedMs);
    return [...this.#parameters.lines].flatMap(([line, ends]) => this.#atLine(line, ends, foot));
  }

  #atZone(name: string, within: boolean, elapsedMs: number): void {
    const zone = this.#zones.get(name) ?? { inside: false, agree: 0 };
    this.#zones.set(name, zone);
    if (zone.inside) this.#dwellMs.set(name, (this.#dwellMs.get(name) ?? 0) + elapsedMs);
    zone.agree = within === zone.inside ? 0 : zone.agree + 1;
    if (zone.agree < agreeing) return;
    zone.inside = within;
    zone.agree = 0;
    if (within && !this.#dwellMs.has(name)) this.#dwellMs.set(name, 0);
  }

  #atLine(line: string, [from, to]: readonly [Point, Point], foot: Point): Pick<SceneCrossing, 'line' | 'direction'>[] {
    const distance = sideOf(foot, from, to);
    if (Math.abs(distance) < lineWidth) return [];
    const side = Math.sign(distance);
    const before = this.#sides.get(line);
    this.#sides.set(line, { side, foot });
    if (before === undefined || before.side === side) return [];
    // It changed sides: between the ends of the line, or around them?
    const [one, other] = [sideOf(from, before.foot, foot), sideOf(to, before.foot, foot)];
    return Math.sign(one) === Math.sign(other) ? [] : [{ line, direction: side > 0 ? 'in' : 'out' }];
  }
}
