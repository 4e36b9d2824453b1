export { EventBook } from './event-book.ts';
