/** What a camera may be read from. ffmpeg also knows `concat:`, `subfile:`, `pipe:` and others that reach further than a camera should. */
export const sourceSchemes: ReadonlySet<string> = new Set([
  'rtsp',
  'rtsps',
  'rtmp',
  'rtmps',
  'http',
  'https',
  'srt',
  'udp',
  'rtp',
  'file',
]);

/** The source of a camera that sends its pictures to the coordinator by itself. */
export const pushSource = 'push:';

/** The scheme of a camera's source, in lower case. A path without one is a file; one letter is a drive of Windows. */
export function schemeOfSource(source: string): string {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(source) ?? [];
  return scheme?.toLowerCase() ?? 'file';
}
