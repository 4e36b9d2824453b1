import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { asShoalError, ShoalError } from '@shoal/protocol';
import { type ClassifiedPicture, type LabelledPicture, parseYoloLabels } from '../evaluate/index.ts';

const pictureExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff', '.gif', '.avif']);

export interface DetectionDataset {
  readonly pictures: readonly LabelledPicture[];
  /** Pictures without a label file: taken as showing nothing, as YOLO does. */
  readonly unlabelled: number;
}

/**
 * Pictures anywhere below `folder`, each with its YOLO labels: in `labels/` (of the folder, or where the picture's path has
 * `images/`), or beside the picture.
 * @throws `input.invalid` when there is no picture, no label, or a label that cannot be read
 */
export async function readDetectionDataset(folder: string, limit: number): Promise<DetectionDataset> {
  const files = await filesBelow(folder);
  const known = new Set(files);
  const labelFile = (picture: string) => labelPlaces(folder, picture).find((place) => known.has(place));
  const paths = files.filter(isPicture).slice(0, limit);
  if (paths.length === 0) throw new ShoalError('input.invalid', `${folder} holds no pictures`);
  if (!paths.some(labelFile)) {
    throw new ShoalError(
      'input.invalid',
      `${folder} holds no labels: expected labels/NAME.txt, or NAME.txt beside each picture`,
    );
  }
  const pictures = await Promise.all(
    paths.map(async (path) => {
      const labels = labelFile(path);
      const text = labels === undefined ? '' : await readFile(labels, 'utf8');
      return {
        name: relative(folder, path),
        labels: parseYoloLabels(text, labels ?? path),
        read: () => readFile(path),
      };
    }),
  );
  return { pictures, unlabelled: paths.filter((path) => !labelFile(path)).length };
}

/**
 * Pictures in folders that are named like their class.
 * @throws `input.invalid` when there is none
 */
export async function readClassDataset(folder: string, limit: number): Promise<readonly ClassifiedPicture[]> {
  const paths = (await filesBelow(folder))
    .filter((path) => isPicture(path) && dirname(path) !== folder)
    .slice(0, limit);
  if (paths.length === 0) throw new ShoalError('input.invalid', `${folder} holds no folders with pictures`);
  return paths.map((path) => ({
    name: relative(folder, path),
    label: basename(dirname(path)),
    read: () => readFile(path),
  }));
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new ShoalError('io.failed', `there is no folder ${folder}`);
      throw asShoalError(error, 'io.failed');
    },
  );
  return (
    entries
      // A data set is often made of links to the pictures of another.
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  );
}

function isPicture(path: string): boolean {
  return pictureExtensions.has(extname(path).toLowerCase());
}

function labelPlaces(folder: string, picture: string): readonly string[] {
  const name = `${basename(picture, extname(picture))}.txt`;
  const parallel = dirname(picture).split(sep);
  const images = parallel.lastIndexOf('images');
  if (images >= 0) parallel[images] = 'labels';
  return [join(dirname(picture), name), join(parallel.join(sep), name), join(folder, 'labels', name)];
}
