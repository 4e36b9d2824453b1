export { createWebhookSender } from './http-sender.ts';
