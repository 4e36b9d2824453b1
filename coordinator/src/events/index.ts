export { EventBook, type EventChanges } from './event-book.ts';
