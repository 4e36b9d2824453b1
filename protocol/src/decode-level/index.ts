/**
 * How much of a camera's source is decoded, from the best to the cheapest: every frame; no frames that others do not refer to; key frames only; all
 * of the camera's substream instead.
 */
export const decodeLevels = ['full', 'skip', 'keyframes', 'substream'] as const;

export type DecodeLevel = (typeof decodeLevels)[number];

/** Empty, as whoever knows of no levels says it, is `full`; `undefined` for a word that is no level. */
export function decodeLevelOf(word: string): DecodeLevel | undefined {
  return word === '' ? 'full' : decodeLevels.find((level) => level === word);
}
