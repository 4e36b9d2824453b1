export { assessHealth, type HealthFacts } from './health.ts';
