import { ShoalError } from '../errors/index.ts';
import type { Json } from '../json/index.ts';

/** x, y as shares of the picture, 0..1, from its top left corner. */
export type Point = readonly [number, number];

/** What a camera of the pipeline `watch` looks for, and where. */
export interface SceneParameters {
  /** Labels that are followed; `undefined` for people, animals and vehicles. */
  readonly labels: readonly string[] | undefined;
  /** A thing has to be this sure to be followed, 0..1; `undefined` for what suits the model. */
  readonly minScore: number | undefined;
  /** Polygons by name: who stands in one is said with each thing. */
  readonly zones: ReadonlyMap<string, readonly Point[]>;
  /** From the first point to the second: who goes from its left to its right hand comes in. */
  readonly lines: ReadonlyMap<string, readonly [Point, Point]>;
  /** Polygons that are made black before anything else is done with a picture. */
  readonly masks: readonly (readonly Point[])[];
  /** `undefined`: each picture is given to the model, whether something moves or not. */
  readonly motion: SceneMotion | undefined;
}

export interface SceneMotion {
  /** A part of the picture has changed when its brightness is off by so much, of 255. */
  readonly threshold: number;
  /** How long the model goes on looking after the last movement, s. */
  readonly quietSeconds: number;
  /** Polygons in which movement does not count. */
  readonly masks: readonly (readonly Point[])[];
}

const mostAreas = 50;
const mostPoints = 100;
const mostLabels = 100;
const longestName = 64;

type Members = { readonly [name: string]: Json };

/**
 * The parameters of the pipeline `watch`, for example
 * `{"labels": ["person"], "zones": {"door": [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]}, "lines": {"gate": [[0, 0.5], [1, 0.5]]}, "masks": [], "motion": {"quietSeconds": 5}}`;
 * `"motion": false` looks at each picture. Those of its model (`minScore`, `maxResults`) may stand beside them.
 * @throws `input.invalid` that names the parameter
 */
export function parseSceneParameters(given: Members): SceneParameters {
  for (const name in given) {
    if (!known.has(name)) throw invalid(name, `there is none of this name; there are ${[...known].join(', ')}`);
  }
  const { labels, minScore, zones, lines, masks, motion } = given;
  return {
    labels: labels === undefined ? undefined : labelsIn(labels),
    minScore: minScore === undefined ? undefined : numberIn('minScore', minScore, 0, 1),
    zones: new Map(areasIn('zones', zones).map(([name, area]) => [name, polygonIn(`zones.${name}`, area)])),
    lines: new Map(areasIn('lines', lines).map(([name, area]) => [name, lineIn(`lines.${name}`, area)])),
    masks: polygonsIn('masks', masks),
    motion: motion === false ? undefined : motionIn(motion ?? {}),
  };
}

/** The masks of a camera of any pipeline. @throws `input.invalid` */
export function parseMasks({ masks }: Members): SceneParameters['masks'] {
  return polygonsIn('masks', masks);
}

const known: ReadonlySet<string> = new Set(['labels', 'minScore', 'maxResults', 'zones', 'lines', 'masks', 'motion']);

function labelsIn(value: Json): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostLabels || !value.every(isName))
    throw invalid('labels', `a list of 1 to ${mostLabels} names, for example ["person", "car"]`);
  return value as readonly string[];
}

function areasIn(field: string, value: Json | undefined): readonly (readonly [string, Json])[] {
  if (value === undefined) return [];
  const areas = isMembers(value) ? Object.entries(value) : undefined;
  if (!areas || areas.length > mostAreas)
    throw invalid(field, `at most ${mostAreas} by name, for example {"door": [...]}`);
  for (const [name] of areas) if (!isName(name)) throw invalid(field, `a name has 1 to ${longestName} characters`);
  return areas as readonly (readonly [string, Json])[];
}

function polygonsIn(field: string, value: Json | undefined): readonly (readonly Point[])[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > mostAreas)
    throw invalid(field, `a list of at most ${mostAreas} polygons`);
  return value.map((polygon, i) => polygonIn(`${field}.${i}`, polygon));
}

function polygonIn(field: string, value: Json): readonly Point[] {
  const points = pointsIn(field, value);
  if (points.length < 3) throw invalid(field, `a polygon has at least 3 points, this one ${points.length}`);
  return points;
}

function lineIn(field: string, value: Json): readonly [Point, Point] {
  const [from, to, ...more] = pointsIn(field, value);
  if (!from || !to || more.length > 0) throw invalid(field, 'a line has 2 points');
  if (from[0] === to[0] && from[1] === to[1]) throw invalid(field, 'the two points of the line are the same');
  return [from, to];
}

function pointsIn(field: string, value: Json): readonly Point[] {
  if (!Array.isArray(value) || value.length > mostPoints || !value.every(isPoint))
    throw invalid(field, `a list of at most ${mostPoints} points [x, y], each a share of the picture from 0 to 1`);
  return value as unknown as readonly Point[];
}

function motionIn(value: Json): SceneMotion {
  if (!isMembers(value)) throw invalid('motion', 'an object, or false');
  const { threshold, quietSeconds, masks, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`motion.${other}`, 'there is none of this name');
  return {
    threshold: threshold === undefined ? 12 : numberIn('motion.threshold', threshold, 1, 255),
    quietSeconds: quietSeconds === undefined ? 3 : numberIn('motion.quietSeconds', quietSeconds, 0, 3_600),
    masks: polygonsIn('motion.masks', masks),
  };
}

function numberIn(field: string, value: Json, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw invalid(field, `a number from ${least} to ${most}`);
  return value;
}

function isMembers(value: Json): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= longestName && !/\p{Cc}/u.test(value);
}

function isPoint(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((part) => typeof part === 'number' && part >= 0 && part <= 1)
  );
}

function invalid(field: string, why: string): ShoalError {
  return new ShoalError('input.invalid', `parameter ${field}: ${why}`, { field: `parameters.${field}` });
}
