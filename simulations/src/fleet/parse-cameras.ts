import type { JsonField } from '@shoal/protocol';
import { type CameraGroup, codecs, type VideoStream } from './fleet.ts';
import { parseByChance, parseLabels, parseObjects } from './parse-parts.ts';
import { minuteOf, msOf } from './units.ts';

const mostOfOneKind = 5_000;
const highestPriority = 9;
/** As the product takes them. */
const mostFps = 120;
const mostPixels = 16_384;

export function parseCameras(field: JsonField): CameraGroup {
  const fields = field.object(
    'name',
    'count',
    'fps',
    'stream',
    'substream?',
    'priority?',
    'p95?',
    'labels?',
    'objects?',
    'accuracyLoss?',
    'comes?',
    'goes?',
  );
  const { priority, p95, accuracyLoss } = fields;
  return {
    name: fields.name.text({ maxLength: 64 }),
    count: fields.count.integer(1, mostOfOneKind),
    fps: fields.fps.number(0.01, mostFps),
    stream: parseStream(fields.stream),
    ...fields.substream.optional('substream', parseStream),
    ...priority.optional('priority', (each) => each.integer(0, highestPriority)),
    ...p95.optional('p95Ms', (each) => msOf(each, 1, 3_600_000)),
    labels: parseLabels(fields.labels),
    objects: parseObjects(fields.objects),
    accuracyLoss: accuracyLoss.value === undefined ? 1 : accuracyLoss.number(0, 1),
    ...parsePresence(fields.comes, fields.goes),
  };
}

function parseStream(field: JsonField): VideoStream {
  const { width, height, fps, codec } = field.object('width', 'height', 'fps', 'codec?');
  return {
    width: width.integer(16, mostPixels),
    height: height.integer(16, mostPixels),
    fps: fps.number(0.01, mostFps),
    codec: codec.value === undefined ? 'h264' : codec.oneOf(...codecs),
  };
}

function parsePresence(comes: JsonField, goes: JsonField): Pick<CameraGroup, 'there'> {
  if (comes.value === undefined && goes.value === undefined) return {};
  if (typeof comes.value === 'object') {
    if (goes.value !== undefined) throw goes.wrong('says twice how long it stays: `comes` has `for`');
    return { there: parseByChance(comes) };
  }
  if (comes.value === undefined) throw comes.wrong('is missing: it goes at a time of the day, and comes at another');
  if (goes.value === undefined)
    throw goes.wrong('is missing: it comes at a time of the day; or `comes` has `every` and `for`');
  const there = { fromMinute: minuteOf(comes), toMinute: minuteOf(goes) };
  if (there.fromMinute === there.toMinute) throw goes.wrong('must not be when it comes');
  return { there };
}
