import { describe, expect, it } from 'vitest';
import { complaintIn, explainFailure, formatIn } from '../../src/video/ffmpeg-words.ts';

const opening = (stream: string, ...more: string[]) => [
  "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:clip.mp4':",
  '  Metadata:',
  '    encoder         : Lavf57.83.100',
  `  Stream #0:0[0x1](und): Video: ${stream}`,
  ...more,
  'Stream mapping:',
  '  Stream #0:0 -> #0:0 (h264 (native) -> rawvideo (native))',
  "Output #0, rawvideo, to 'pipe:1':",
  '  Stream #0:0(und): Video: rawvideo (RGB[24] / 0x18424752), rgb24, 320x320, q=2-31, 12288 kb/s, 5 fps, 5 tbn',
];

describe('what a source is', () => {
  it.each([
    ['h264 (High) (avc1 / 0x31637661), yuv420p(progressive), 768x432, 620 kb/s, 10 fps', [768, 432, 10]],
    ['h264 (Main), yuvj420p(pc, bt709), 1920x1080 [SAR 1:1 DAR 16:9], 23.98 fps, 90k tbn', [1920, 1080, 23.98]],
    ['mjpeg (Baseline), yuvj422p(pc, bt470bg/unknown/unknown), 640x480, 90k tbr', [640, 480, undefined]],
  ])('is read from %s', (stream, [width, height, fps]) => {
    expect(formatIn(opening(stream))).toEqual({ width, height, fps });
  });

  it('is turned with a picture that was filmed sideways', () => {
    const lines = opening('h264 (High), yuv420p, 1920x1080, 30 fps', '      displaymatrix: rotation of -90.00 degrees');
    expect(formatIn(lines)).toEqual({ width: 1080, height: 1920, fps: 30 });
  });

  it('is not known before the input is described to its end', () => {
    const lines = opening('h264 (High), yuv420p, 1920x1080, 30 fps');
    expect(formatIn(lines.slice(0, 5).filter((line) => line !== 'Stream mapping:'))).toBeUndefined();
    expect(formatIn([])).toBeUndefined();
  });
});

describe('a failure of ffmpeg', () => {
  const source = 'rtsp://admin:hunter2@10.0.0.7/stream';

  it.each([
    ['[rtsp @ 0x5] method DESCRIBE failed: 401 Unauthorized', 'the user name or the password is wrong', true],
    ['[tcp @ 0x5] Connection to tcp://10.0.0.7:554?timeout=0 failed: Connection refused', 'nobody listens', false],
    ['[rtsp @ 0x5] method DESCRIBE failed: 404 Not Found', 'no such stream', true],
    ['file:nowhere.mp4: No such file or directory', 'no such file', true],
    ['[mov,mp4 @ 0x5] moov atom not found', 'cut short', true],
    ["Stream map '0:v:0' matches no streams.", 'no video in it', true],
    ['file:x.txt: Invalid data found when processing input', 'not a video', true],
  ])('%s is put in words', (line, words, lasting) => {
    const error = explainFailure(['ffmpeg version 5', line], source);
    expect(error).toMatchObject({ code: 'source.unreadable', facts: { lasting } });
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('hunter2');
  });

  it('that is not known is told in its own last words, without the password', () => {
    const error = explainFailure([`Something odd with ${source} and hunter2`, ''], source);
    expect(error.message).toBe('rtsp://***@10.0.0.7/stream: Something odd with rtsp://***@10.0.0.7/stream and ***');
    expect(error.facts['lasting']).toBe(false);
  });

  it('without a word is said to be one', () => {
    expect(explainFailure([], source).message).toContain('ended without a word');
  });
});

it('a file that was cut in the middle is told by what ffmpeg complains of', () => {
  expect(complaintIn(['[mov @ 0x5] stream 0, offset 0x2f: partial file'])).toContain('stops in the middle');
  expect(complaintIn(['frame=  100 fps=0.0 q=-0.0'])).toBeUndefined();
});
