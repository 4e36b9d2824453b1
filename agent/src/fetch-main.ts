import { asShoalError, createLogger } from '@shoal/protocol';
import type { FetchMessage } from './loaded-models/real/index.ts';
import { lazyModels } from './ports.ts';

/*
 * The process in which an agent has a model fetched and converted: `fetch-main.js MODEL VARIANT`, with a channel on which it says what it does. What is
 * half fetched when it is ended is taken up by the next.
 */
const [model = '', variant = ''] = process.argv.slice(2);
const say = (message: FetchMessage) => new Promise((sent) => process.send?.(message, sent));
const logger = createLogger((record) => void say({ kind: 'log', record }), 'debug');
// The agent has gone.
process.on('disconnect', () => process.exit(1));
try {
  const shelf = await lazyModels(logger).shelf();
  await shelf.resolve(model, variant, new AbortController().signal);
  await say({ kind: 'fetched' });
} catch (error) {
  const { code, message, facts } = asShoalError(error);
  await say({ kind: 'failed', code, message, facts });
}
process.exit();
