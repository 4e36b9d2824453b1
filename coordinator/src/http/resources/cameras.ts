import { Type } from 'typebox';
import { sendEvents } from '../event-stream.ts';
import type { Resource } from '../resource.ts';
import { sendBundle } from '../send-bundle.ts';
import {
  BundleFile,
  Camera,
  CameraRequest,
  cameraSpec,
  cameraView,
  IdParams,
  PageQuery,
  pageOf,
  problems,
  Result,
  ResultParams,
  resultView,
} from '../views/index.ts';

const tags = ['cameras'];

export const cameras: Resource = (context) => async (api) => {
  const { coordinator } = context;

  api.post(
    '/v1/cameras',
    {
      schema: {
        tags,
        summary: 'Add a camera: a device that can take it is chosen, and starts at once',
        operationId: 'createCamera',
        body: CameraRequest.definition,
        response: { 201: Camera.ref, ...problems('conflict', 'model.unknown', 'input.unsupported') },
      },
    },
    async ({ body }, reply) => {
      const camera = await coordinator.cameras.create(cameraSpec(body));
      const view = cameraView(coordinator.cameras.get(camera.id));
      return reply.code(201).header('location', `/v1/cameras/${camera.id}`).send(view);
    },
  );

  api.get(
    '/v1/cameras',
    {
      schema: {
        tags,
        summary: 'List the cameras, where each runs and how it does',
        operationId: 'listCameras',
        response: { 200: Type.Object({ items: Type.Array(Camera.ref) }), ...problems() },
      },
    },
    async () => ({ items: coordinator.cameras.list().map(cameraView) }),
  );

  api.get(
    '/v1/cameras/:id',
    {
      schema: {
        tags,
        summary: 'Get a camera',
        operationId: 'getCamera',
        params: IdParams,
        response: { 200: Camera.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => cameraView(coordinator.cameras.get(params.id)),
  );

  api.put(
    '/v1/cameras/:id',
    {
      schema: {
        tags,
        summary: 'Change a camera while it runs',
        description:
          'Replaces the whole camera. What is left out gets its default, except the name. A `source` as an answer showed it, with its password hidden, stays what it was.',
        operationId: 'replaceCamera',
        params: IdParams,
        body: CameraRequest.definition,
        response: { 200: Camera.ref, ...problems('not-found', 'conflict', 'model.unknown', 'input.unsupported') },
      },
    },
    async ({ params, body }) => {
      const { spec } = coordinator.cameras.get(params.id);
      await coordinator.cameras.update(params.id, cameraSpec(body, spec));
      return cameraView(coordinator.cameras.get(params.id));
    },
  );

  api.delete(
    '/v1/cameras/:id',
    {
      schema: {
        tags,
        summary: 'Remove a camera. Its results stay',
        operationId: 'removeCamera',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Removed.' }), ...problems('not-found') },
      },
    },
    async ({ params }, reply) => {
      await coordinator.cameras.remove(params.id);
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/v1/cameras/:id/results',
    {
      schema: {
        tags,
        summary: 'List what a camera saw, newest first',
        operationId: 'listCameraResults',
        params: IdParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(Result.ref), ...problems('not-found') },
      },
    },
    async ({ params, query }) => {
      const page = await coordinator.results.ofCamera(params.id, { ...query, limit: query.limit ?? 50 });
      return { ...page, items: page.items.map((record) => resultView(record)) };
    },
  );

  api.get(
    '/v1/cameras/:id/results/:result',
    {
      schema: {
        tags,
        summary: 'Get one result of a camera',
        operationId: 'getCameraResult',
        params: ResultParams,
        response: { 200: Result.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => resultView(await coordinator.results.oneOfCamera(params.id, params.result)),
  );

  api.get(
    '/v1/cameras/:id/results/:result/bundle',
    {
      schema: {
        tags,
        summary: 'Get the proof of a result of a camera, one file for `shoal verify`',
        operationId: 'getCameraBundle',
        params: ResultParams,
        response: { 200: BundleFile, ...problems('not-found') },
      },
    },
    async ({ params }, reply) => {
      const record = await coordinator.results.oneOfCamera(params.id, params.result);
      return sendBundle(reply, record.id, coordinator.results.bundle(record));
    },
  );

  api.get(
    '/v1/cameras/:id/events',
    {
      schema: {
        tags,
        summary: 'Follow what a camera sees, as it sees it',
        description: 'Server-sent events: `result` with a Result. A slow reader loses the oldest.',
        operationId: 'followCamera',
        produces: ['text/event-stream'],
        params: IdParams,
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } },
          ...problems('not-found'),
        },
      },
    },
    async ({ params }, reply) => {
      const { id } = coordinator.cameras.get(params.id);
      return sendEvents(reply, context, async function* (signal) {
        for await (const { record, result } of coordinator.results.watch({ camera: id }, signal)) {
          yield { event: 'result', data: resultView(record, result) };
        }
      });
    },
  );
};
