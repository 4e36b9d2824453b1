import { ShoalError } from '@shoal/protocol';
import type { Box } from '../stages/index.ts';

/** One line of a label file: the centre and size of a box as fractions of the picture. */
export interface YoloLabel {
  /** Place among the classes that the dataset knows, from 0. */
  readonly datasetClass: number;
  readonly centreX: number;
  readonly centreY: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Reads `class cx cy w h` lines; empty lines are left out, a sixth field (a confidence) is not looked at.
 * @throws `input.invalid` naming the file and the line
 */
export function parseYoloLabels(text: string, fileName: string): readonly YoloLabel[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const [datasetClass, centreX, centreY, width, height] = line.trim().split(/\s+/).map(Number);
    const fractions = [centreX, centreY, width, height];
    const valid =
      Number.isInteger(datasetClass) && fractions.every((value) => value !== undefined && value >= 0 && value <= 1);
    if (!valid || datasetClass === undefined || datasetClass < 0) {
      throw new ShoalError(
        'input.invalid',
        `${fileName}, line ${i + 1}: expected "class cx cy w h" with fractions of the picture, found "${line}"`,
        {
          file: fileName,
          line: i + 1,
        },
      );
    }
    return [{ datasetClass, centreX: centreX ?? 0, centreY: centreY ?? 0, width: width ?? 0, height: height ?? 0 }];
  });
}

/** In pixels of a picture of this size. */
export function boxOf(label: YoloLabel, pictureWidth: number, pictureHeight: number): Box {
  return {
    x: (label.centreX - label.width / 2) * pictureWidth,
    y: (label.centreY - label.height / 2) * pictureHeight,
    width: label.width * pictureWidth,
    height: label.height * pictureHeight,
  };
}
