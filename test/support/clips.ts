import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';
import { photoFiles } from './photos.ts';

const ffmpeg = await findProgram('ffmpeg');

/** Whether clips can be made here: from a picture beside the project, by an installed ffmpeg. */
export async function canMakeClips(): Promise<boolean> {
  return ffmpeg !== undefined && (await photoFiles()).length > 0;
}

/** Two seconds of a real picture with a dog on it, 640 pixels wide. Returns its path in the folder. */
export async function makeClip(folder: string): Promise<string> {
  const photos = await photoFiles();
  const photo = photos.find((path) => path.endsWith('dog.jpg')) ?? photos[0] ?? '';
  const clip = join(folder, 'dog.mp4');
  const picture = ['-loop', '1', '-i', photo, '-t', '2', '-r', '10', '-vf', 'scale=640:-2,format=yuv420p'];
  await promisify(execFile)('ffmpeg', ['-v', 'error', ...picture, '-c:v', 'mpeg4', '-q:v', '3', '-y', clip]);
  return clip;
}
