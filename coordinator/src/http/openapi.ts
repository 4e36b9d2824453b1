import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

const description = `Place image and video analysis on the devices you have, and prove each result.

Every request carries the API key: \`Authorization: Bearer KEY\` (the fleet of \`npm start\` asks for none on its own machine). Errors are problems (RFC 9457): compare their \`type\`, never
their texts. Lists are pages, newest first. Times are RFC 3339 in UTC, durations milliseconds, sizes bytes.`;

const tags = [
  { name: 'tasks', description: 'One analysis of one input, with a deadline' },
  { name: 'cameras', description: 'Video sources that are watched all the time' },
  { name: 'results', description: 'What was seen' },
  { name: 'events', description: 'Stays before the cameras, from their start to their end' },
  { name: 'webhooks', description: 'Who is told of events by requests to a URL' },
  { name: 'devices', description: 'The fleet' },
  { name: 'tokens', description: 'How devices join' },
  { name: 'keys', description: 'How programs are let in' },
  { name: 'session', description: 'How browsers are let in' },
  { name: 'models', description: 'What may be run' },
  { name: 'blobs', description: 'Bytes by their SHA-256' },
  { name: 'system', description: 'The coordinator itself' },
];

/** The OpenAPI 3.1 document at `/docs/json` and the page at `/docs`, made from the routes' own schemas. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Shoal', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      tags,
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json['$id'] ?? `def-${index}`) },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true },
    // The page shows this one document: the bar to choose another one, with another project's name on it, goes.
    theme: { title: 'Shoal API', css: [{ filename: 'shoal.css', content: '.swagger-ui .topbar { display: none }' }] },
  });
}
