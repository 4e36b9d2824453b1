import type { Box } from '@shoal/models';
import { type Random, seededRandom } from '@shoal/protocol';
import type { Appearance } from '../../src/scene/appearance.ts';
import { shareWithin } from '../../src/scene/geometry.ts';
import type { Sighting } from '../../src/scene/track.ts';
import type { Placed } from './tracking-scores.ts';

export const crowdPicture = { width: 1280, height: 720 };

export interface CrowdFrame {
  readonly atMs: number;
  readonly truth: readonly Placed[];
  readonly found: readonly Sighting[];
}

interface Person {
  readonly id: number;
  readonly colours: Appearance;
  foot: [number, number];
  goal: [number, number];
}

const bins = 24;
const palette = 8;

/**
 * People who walk about on a square, seen from above at an angle, and what a detector would say of them: boxes that tremble, fewer and unsure ones of who
 * is half hidden, none of who is hidden, now and then a thing that is not there. All from one seed.
 */
export function* crowd(options: {
  readonly seed: number;
  readonly people: number;
  readonly fps: number;
  readonly seconds: number;
  readonly colours: boolean;
}): Generator<CrowdFrame> {
  const random = seededRandom(options.seed);
  let nextId = 1;
  const enter = (): Person => ({
    id: nextId++,
    colours: clothes(random),
    foot: onEdge(random),
    goal: anywhere(random),
  });
  const people = Array.from({ length: options.people }, () => ({ ...enter(), foot: anywhere(random) }));
  for (let number = 0; number < options.seconds * options.fps; number++) {
    for (const [i, person] of people.entries()) {
      walk(person, 1 / options.fps, random);
      if (isOut(person)) people[i] = enter();
    }
    const boxes = people.map((person) => ({ id: person.id, box: boxOf(person), person }));
    yield {
      atMs: (number * 1_000) / options.fps,
      truth: boxes.map(({ id, box }) => ({ id, box })),
      found: look(boxes, options.colours, random),
    };
  }
}

function walk(person: Person, seconds: number, random: Random): void {
  const [dx, dy] = [person.goal[0] - person.foot[0], person.goal[1] - person.foot[1]];
  const distance = Math.hypot(dx, dy);
  // 1.4 m a second of who is 1.7 m tall.
  const step = 0.82 * heightAt(person.foot[1]) * seconds;
  if (distance <= step) {
    person.goal = random.next() < 0.4 ? beyond(random) : anywhere(random);
    return;
  }
  person.foot = [person.foot[0] + (dx / distance) * step, person.foot[1] + (dy / distance) * step];
}

function look(
  people: readonly { readonly box: Box; readonly person: Person }[],
  colours: boolean,
  random: Random,
): Sighting[] {
  const found: Sighting[] = [];
  for (const { box, person } of people) {
    const before = people
      .filter((other) => other.person !== person && other.person.foot[1] > person.foot[1])
      .map((other) => ({ share: shareWithin(box, other.box), colours: other.person.colours }))
      .sort((a, b) => b.share - a.share)[0];
    const hidden = before?.share ?? 0;
    const chance = hidden < 0.4 ? 0.94 : hidden < 0.7 ? 0.5 : 0.05;
    if (random.next() > chance) continue;
    const score = hidden < 0.4 ? 0.3 + 0.5 * random.next() : 0.15 + 0.35 * random.next();
    const appearance = colours && seenColours(person.colours, hidden, before?.colours, random);
    found.push({ label: 'person', score, box: trembling(box, random), ...(appearance && { appearance }) });
  }
  if (random.next() < 0.1) {
    const box = { x: random.next() * 1200, y: 200 + random.next() * 300, width: 50, height: 120 };
    found.push({ label: 'person', score: 0.15 + 0.4 * random.next(), box });
  }
  return found;
}

function trembling({ x, y, width, height }: Box, random: Random): Box {
  const off = (size: number) => (random.next() + random.next() - 1) * 0.08 * size;
  return { x: x + off(width), y: y + off(height), width: width + off(width), height: height + off(height) };
}

/** Some are dressed alike. */
function clothes(random: Random): Appearance {
  const colours = new Float32Array(bins);
  const [above, below] = [Math.floor(random.next() * palette), Math.floor(random.next() * palette)];
  colours[above] = 1;
  colours[bins / 2 + below] = 1;
  return colours;
}

function seenColours(own: Appearance, hidden: number, other: Appearance | undefined, random: Random): Appearance {
  const mixed = own.map((value, i) => (1 - hidden) * value + hidden * (other?.[i] ?? 0) + 0.15 * random.next());
  const total = mixed.reduce((sum, value) => sum + value, 0);
  return mixed.map((value) => Math.sqrt(value / total));
}

function boxOf({ foot: [x, y] }: Person): Box {
  const height = heightAt(y);
  return { x: x - 0.2 * height, y: y - height, width: 0.4 * height, height };
}

function heightAt(y: number): number {
  return 60 + Math.max(0, y - 250) * 0.3;
}

function anywhere(random: Random): [number, number] {
  return [60 + random.next() * (crowdPicture.width - 120), 260 + random.next() * 420];
}

function onEdge(random: Random): [number, number] {
  return [random.next() < 0.5 ? -20 : crowdPicture.width + 20, 260 + random.next() * 420];
}

function beyond(random: Random): [number, number] {
  return [random.next() < 0.5 ? -120 : crowdPicture.width + 120, 260 + random.next() * 420];
}

function isOut({ foot: [x] }: Person): boolean {
  return x < -40 || x > crowdPicture.width + 40;
}
