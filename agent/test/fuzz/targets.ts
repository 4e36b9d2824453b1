import { fromUtf8, utf8 } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { explainFailure, formatIn } from '../../src/video/ffmpeg-words.ts';
import { FrameCutter } from '../../src/video/frame-cutter.ts';
import { parseParameters } from '../../src/work/parameters.ts';

const source = 'rtsp://admin:hunter-two@10.0.0.7/stream?token=hunter-two';

const words = [
  [
    "Input #0, mov,mp4, from 'file:clip.mp4':",
    '  Stream #0:0[0x1](und): Video: h264 (High), yuv420p, 1920x1080 [SAR 1:1], 23.98 fps, 90k tbn',
    '      displaymatrix: rotation of -90.00 degrees',
    'Stream mapping:',
    "Output #0, rawvideo, to 'pipe:1':",
  ],
  [`[rtsp @ 0x5] ${source}: method DESCRIBE failed: 401 Unauthorized`],
  [`Something odd with ${source} and hunter-two`, ''],
];

const frameBytes = 50;

/** In pieces as the first bytes say: as many frames as fit, and what is read is the newest. */
function cut(bytes: Uint8Array): void {
  const cutter = new FrameCutter(frameBytes);
  let whole = 0;
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const next = at + 1 + (bytes[i % 3] ?? 0);
    whole += cutter.push(bytes.subarray(at, next));
    at = next;
    if (i % 5 === 0) cutter.take();
  }
  if (whole !== Math.floor(bytes.length / frameBytes) || cutter.partBytes !== bytes.length % frameBytes)
    throw new Error(`${whole} frames and ${cutter.partBytes} bytes of ${bytes.length}`);
  const newest = cutter.take();
  const end = whole * frameBytes;
  if (newest && !Buffer.from(newest).equals(bytes.subarray(end - frameBytes, end)))
    throw new Error('not the newest frame');
}

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'frames of ffmpeg',
    form: 'bytes',
    samples: [new Uint8Array(175), new Uint8Array(50)],
    refuses: [],
    take: cut,
  },
  {
    name: 'words of ffmpeg',
    form: 'text',
    samples: words.map((lines) => utf8(lines.join('\n'))),
    refuses: [],
    take(bytes) {
      const lines = fromUtf8(bytes).split('\n');
      const { width = 1, height = 1 } = formatIn(lines) ?? {};
      if (!(width >= 0 && height >= 0 && width < 100_000 && height < 100_000)) throw new Error('a size that is none');
      if (explainFailure(lines, source).message.includes('hunter-two')) throw new Error('the password is told');
    },
  },
  {
    name: 'parameters of a task',
    form: 'json',
    samples: ['{"minScore":0.4,"maxResults":5}', '{"any":{"thing":[1,2]}}', ''].map(utf8),
    refuses: ['input.invalid'],
    take(bytes) {
      const { minScore = 0, maxResults = 1 } = parseParameters(fromUtf8(bytes)).inference;
      if (!(minScore >= 0 && minScore <= 1) || !Number.isInteger(maxResults))
        throw new Error('a parameter that is none');
    },
  },
];
