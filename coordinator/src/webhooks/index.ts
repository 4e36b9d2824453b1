export { noSender, type WebhookSender } from './sender.ts';
export { WebhookBook } from './webhook-book.ts';
