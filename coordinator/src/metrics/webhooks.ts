import { Counter, Gauge, type Registry } from 'prom-client';
import type { Coordinator } from '../domain/index.ts';

/** How deliveries to webhooks do. A webhook that is removed takes its series along. */
export function addWebhooks({ webhooks }: Coordinator, registers: Registry[]): void {
  new Counter({
    name: 'shoal_webhook_deliveries_total',
    help: 'Deliveries that are done with. Dropped: tried for too long, refused, or too many waited.',
    labelNames: ['webhook', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { id, delivered, dropped } of webhooks.list()) {
        this.labels(id, 'delivered').inc(delivered);
        this.labels(id, 'dropped').inc(dropped);
      }
    },
  });
  new Counter({
    name: 'shoal_webhook_failed_tries_total',
    help: 'Tries to deliver that failed.',
    labelNames: ['webhook'],
    registers,
    collect() {
      this.reset();
      for (const { id, failed } of webhooks.list()) this.labels(id).inc(failed);
    },
  });
  new Gauge({
    name: 'shoal_webhook_deliveries_waiting',
    help: 'Deliveries that wait.',
    labelNames: ['webhook'],
    registers,
    collect() {
      this.reset();
      for (const { id, waiting } of webhooks.list()) this.labels(id).set(waiting);
    },
  });
}
