export { PictureDesk } from './picture-desk.ts';
