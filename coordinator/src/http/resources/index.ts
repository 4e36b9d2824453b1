import type { Resource } from '../resource.ts';
import { blobs } from './blobs.ts';
import { cameras } from './cameras.ts';
import { devices } from './devices.ts';
import { discovery } from './discovery.ts';
import { events } from './events.ts';
import { keys } from './keys.ts';
import { livePictures } from './live-pictures.ts';
import { models } from './models.ts';
import { pictures } from './pictures.ts';
import { results } from './results.ts';
import { session } from './session.ts';
import { system } from './system.ts';
import { tasks } from './tasks.ts';
import { tokens } from './tokens.ts';
import { webhooks } from './webhooks.ts';

export const resources: readonly Resource[] = [
  system,
  devices,
  tokens,
  keys,
  tasks,
  cameras,
  discovery,
  pictures,
  livePictures,
  events,
  webhooks,
  results,
  blobs,
  models,
  session,
];
