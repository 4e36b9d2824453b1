import { redactSource, redactText, ShoalError } from '@shoal/protocol';
import type { VideoFormat } from './video-source.ts';

/** How many of ffmpeg's last lines are kept to find the reason in. */
export const linesKept = 50;

/**
 * Reads what the source is from what ffmpeg says before the first frame; `undefined` as long as it has not said it. Its size in pixels is as ffmpeg hands
 * it to its filters: turned already when the camera was held sideways.
 */
export function formatIn(lines: readonly string[]): VideoFormat | undefined {
  const at = lines.findIndex((line) => /Stream #\d+:\d+.*: Video: /.test(line));
  const [, width, height] = /, (\d{1,5})x(\d{1,5})\b/.exec(lines[at] ?? '') ?? [];
  const [, rate] = /, (\d+(?:\.\d+)?) fps\b/.exec(lines[at] ?? '') ?? [];
  // What belongs to the input is over when the output is described.
  const end = lines.findIndex((line) => /^Output #0|^Stream mapping:/.test(line));
  if (!width || !height || end < 0) return undefined;
  const turned = lines.slice(at, end).some((line) => /rotation of -?(90|270)(\.0+)? degrees/.test(line));
  const format = { width: Number(width), height: Number(height), fps: Number(rate) > 0 ? Number(rate) : undefined };
  return turned ? { ...format, width: format.height, height: format.width } : format;
}

interface Reason {
  readonly pattern: RegExp;
  readonly words: string;
  /** Trying again soon does not help: a person has to do something. */
  readonly lasting: boolean;
}

const reasons: readonly Reason[] = [
  { pattern: /401 Unauthorized|authorization failed/i, words: 'the user name or the password is wrong', lasting: true },
  { pattern: /403 Forbidden/i, words: 'the camera does not allow it: check the user’s rights', lasting: true },
  { pattern: /404 (Stream )?Not Found|returned 404/i, words: 'there is no such stream at this address', lasting: true },
  { pattern: /No such file or directory/i, words: 'there is no such file', lasting: true },
  { pattern: /Permission denied/i, words: 'the file may not be read', lasting: true },
  { pattern: /Is a directory/i, words: 'this is a folder, not a video', lasting: true },
  { pattern: /Connection refused/i, words: 'nobody listens at this address and port', lasting: false },
  { pattern: /timed out|timeout/i, words: 'the camera does not answer', lasting: false },
  {
    pattern: /No route to host|Network is unreachable/i,
    words: 'the camera’s network cannot be reached',
    lasting: false,
  },
  {
    pattern: /Failed to resolve hostname|Name or service not known/i,
    words: 'the host name is not known',
    lasting: false,
  },
  {
    pattern: /moov atom not found/i,
    words: 'the file was cut short, or is not a video: its index is missing',
    lasting: true,
  },
  { pattern: /matches no streams|does not contain any stream/i, words: 'there is no video in it', lasting: true },
  { pattern: /Decoder .* not found|Unknown decoder/i, words: 'this ffmpeg cannot decode its codec', lasting: true },
  {
    pattern: /Invalid data found when processing input/i,
    words: 'this is not a video that ffmpeg can read',
    lasting: true,
  },
  { pattern: /Server returned 5\d\d/i, words: 'the camera’s server has failed', lasting: false },
];

/** Why ffmpeg gave no (more) pictures, for a person, without the source's secrets. */
export function explainFailure(lines: readonly string[], source: string): ShoalError {
  const text = lines.join('\n');
  const known = reasons.find(({ pattern }) => pattern.test(text));
  const last = lines.findLast((line) => line.trim() !== '');
  const words =
    known?.words ??
    complaintIn(lines) ??
    (last === undefined ? 'ffmpeg ended without a word' : redactText(last.trim(), source));
  return new ShoalError('source.unreadable', `${redactSource(source)}: ${words}`, { lasting: known?.lasting ?? false });
}

/** Whether the picture has another size from here on. */
export function hasNewSize(line: string): boolean {
  return /Changing video frame properties on the fly/i.test(line);
}

/** What was wrong with a file that ffmpeg read to its end all the same. */
export function complaintIn(lines: readonly string[]): string | undefined {
  const damaged =
    /partial file|Invalid NAL unit|error while decoding|truncat|Packet corrupt|ended prematurely|corrupt (input|decoded)/i;
  return lines.some((line) => damaged.test(line))
    ? 'the video stops in the middle: it is damaged or was cut short'
    : undefined;
}
