import { redactSource, ShoalError, schemeOfSource, sourceSchemes } from '@shoal/protocol';
import type { VideoRequest } from './video-source.ts';

/** A network source that says nothing for this long is given up by ffmpeg itself, so that it does not outlive a killed agent. */
const silenceUs = 15_000_000;

export type SourceKind = 'file' | 'live';

export function sourceKind(source: string): SourceKind {
  return schemeOfSource(source) === 'file' ? 'file' : 'live';
}

/**
 * The arguments that make ffmpeg write frames of the model's size, `rgb24`, one after the other, to its standard output.
 * @throws `input.invalid` for a source that is not allowed
 */
export function ffmpegArguments(request: VideoRequest, ffmpegMajor: number): readonly string[] {
  const { source, loop } = request;
  const scheme = schemeOfSource(source);
  if (!sourceSchemes.has(scheme)) {
    throw new ShoalError(
      'input.invalid',
      `a camera cannot be read from ${redactSource(source)}: ${scheme}: is not allowed`,
      {
        field: 'source',
      },
    );
  }
  return [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    '-loglevel',
    'info',
    ...inputOptions(scheme, loop, ffmpegMajor),
    // A picture that changes its size is begun anew, so that masks, zones and boxes lie where they are meant to; until then it stays where it was.
    '-reinit_filter',
    '0',
    ...(request.leftOut === undefined ? [] : ['-skip_frame', request.leftOut === 'all-but-key' ? 'nokey' : 'noref']),
    '-i',
    scheme === 'file' ? `file:${source.replace(/^file:(\/\/)?/i, '')}` : source,
    '-map',
    '0:v:0',
    '-vf',
    filterOf(request),
    // Each frame as it comes: none is written twice to keep up a rate. The option was renamed in ffmpeg 5.1, the old name still works in 7.
    ...(ffmpegMajor >= 1 && ffmpegMajor <= 5 ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough']),
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    'pipe:1',
  ];
}

function inputOptions(scheme: string, loop: boolean, ffmpegMajor: number): readonly string[] {
  switch (scheme) {
    // In real time, as if it were a camera.
    case 'file':
      return ['-re', ...(loop ? ['-stream_loop', '-1'] : [])];
    case 'rtsp':
    case 'rtsps':
      // TCP where the camera has it: over UDP a lost packet breaks the picture until the next key frame. Two seconds of pictures are not waited for to
      // find out how many there are in one: what the camera says is enough. The option for silence was renamed in ffmpeg 5.
      return [
        '-rtsp_flags',
        'prefer_tcp',
        '-fpsprobesize',
        '0',
        ffmpegMajor >= 5 ? '-timeout' : '-stimeout',
        String(silenceUs),
      ];
    case 'http':
    case 'https':
      return ['-rw_timeout', String(silenceUs)];
    default:
      return [];
  }
}

/**
 * The picture's way into the model's input, in ffmpeg's expressions: the same arithmetic as `fitPicture` of the models workspace, since the size
 * of the source is not known here. To `rgb24` before padding, where every offset is a whole pixel.
 */
function filterOf({ input, targetFps }: VideoRequest): string {
  const { width, height, fit, padValue } = input;
  const rate = targetFps > 0 ? [firstOfEach(targetFps)] : [];
  const grey = `0x${padValue.toString(16).padStart(2, '0').repeat(3)}`;
  const side = (of: 'iw' | 'ih', most: number) => `'min(${most},max(1,round(${of}*min(${width}/iw,${height}/ih))))'`;
  const letterbox = `scale=w=${side('iw', width)}:h=${side('ih', height)}:flags=bilinear,format=rgb24`;
  const cropped = (of: 'iw' | 'ih', side: number) => `'min(${of},max(1,round(${side}/max(${width}/iw,${height}/ih))))'`;
  switch (fit) {
    case 'letterbox-top-left':
      return [...rate, letterbox, `pad=${width}:${height}:0:0:color=${grey}`].join(',');
    case 'letterbox-centre':
      return [...rate, letterbox, `pad=${width}:${height}:'floor((ow-iw)/2)':'floor((oh-ih)/2)':color=${grey}`].join(
        ',',
      );
    case 'stretch':
      return [...rate, `scale=${width}:${height}:flags=bilinear,format=rgb24`].join(',');
    case 'centre-crop': {
      const crop = `crop=w=${cropped('iw', width)}:h=${cropped('ih', height)}:x='floor((iw-ow)/2)':y='floor((ih-oh)/2)':exact=1`;
      return [...rate, crop, `scale=${width}:${height}:flags=bilinear,format=rgb24`].join(',');
    }
  }
}

/**
 * At most so many frames a second: the first one of each interval. A source that gives fewer is not made to look as if it gave them, which the filter
 * `fps` would do by repeating frames.
 */
function firstOfEach(targetFps: number): string {
  const interval = (time: string) => `floor(${time}*${targetFps}+0.001)`;
  return `select='isnan(prev_selected_t)+not(eq(${interval('t')},${interval('prev_selected_t')}))'`;
}
