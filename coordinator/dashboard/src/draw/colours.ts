/** The colours of the style sheet, for what is drawn by hand. */
export interface Colours {
  readonly accent: string;
  readonly onAccent: string;
}

/** On pictures the dark theme's accent is used in both: a picture is no paper. */
export const onPictures: Colours = { accent: '#45c4b0', onAccent: '#05211d' };
