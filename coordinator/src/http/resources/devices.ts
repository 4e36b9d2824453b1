import { Type } from 'typebox';
import { sendEvents } from '../event-stream.ts';
import type { Resource } from '../resource.ts';
import { Device, deviceStateView, deviceView, IdParams, Labels, Power, problems } from '../views/index.ts';

const tags = ['devices'];

export const devices: Resource = (context) => async (api) => {
  const { coordinator } = context;

  api.get(
    '/v1/devices',
    {
      schema: {
        tags,
        summary: 'List the fleet',
        operationId: 'listDevices',
        response: { 200: Type.Object({ items: Type.Array(Device.ref) }), ...problems() },
      },
    },
    async () => ({ items: coordinator.devices.list().map(deviceView) }),
  );

  api.get(
    '/v1/devices/events',
    {
      schema: {
        tags,
        summary: 'Follow the fleet, as it changes',
        description:
          'Server-sent events: `snapshot` with `items`, a DeviceState for each device, at the start of every connection; then `joined`, `changed` and ' +
          '`left` with a DeviceState, within a second. `changed` tells of presence, name, labels, links up and down, battery and cameras; what never ' +
          'stands still, as a round trip, is told along with it. A slow reader is not told all that happened, but how each device is then.',
        operationId: 'followDevices',
        produces: ['text/event-stream'],
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } },
          ...problems('queue.full'),
        },
      },
    },
    async (_request, reply) =>
      sendEvents(reply, context, async function* (signal) {
        for await (const news of coordinator.devices.watch(signal)) {
          if (news.kind === 'snapshot') yield { event: 'snapshot', data: { items: news.devices.map(deviceStateView) } };
          else yield { event: news.kind, data: deviceStateView(news.device) };
        }
      }),
  );

  api.get(
    '/v1/devices/:id',
    {
      schema: {
        tags,
        summary: 'Get a device: what it has, what it measured, how it is',
        operationId: 'getDevice',
        params: IdParams,
        response: { 200: Device.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => deviceView(coordinator.devices.get(params.id)),
  );

  api.patch(
    '/v1/devices/:id',
    {
      schema: {
        tags,
        summary: 'Rename, label or drain a device, or say what is allowed of its battery',
        operationId: 'updateDevice',
        params: IdParams,
        body: Type.Object(
          {
            name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
            labels: Type.Optional({ ...Labels, description: 'Replaces all labels.' }),
            power: Type.Optional({ ...Power, description: 'Replaces what was allowed of its battery before.' }),
            draining: Type.Optional(Type.Boolean({ description: 'Finish what it has and get nothing new.' })),
          },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 200: Device.ref, ...problems('not-found', 'input.unsupported') },
      },
    },
    async ({ params, body }) => deviceView(await coordinator.devices.update(params.id, body)),
  );

  api.post(
    '/v1/devices/:id/approve',
    {
      schema: {
        tags,
        summary: 'Let a device in that waits for approval',
        operationId: 'approveDevice',
        params: IdParams,
        response: { 200: Device.ref, ...problems('not-found', 'conflict') },
      },
    },
    async ({ params }) => deviceView(await coordinator.devices.approve(params.id)),
  );

  api.post(
    '/v1/devices/:id/reject',
    {
      schema: {
        tags,
        summary: 'Refuse a device that waits for approval, for good',
        operationId: 'rejectDevice',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Rejected.' }), ...problems('not-found', 'conflict') },
      },
    },
    async ({ params }, reply) => {
      await coordinator.devices.reject(params.id);
      return reply.code(204).send(null);
    },
  );

  api.delete(
    '/v1/devices/:id',
    {
      schema: {
        tags,
        summary: 'Revoke a device: it is refused and cut off from now on, and its work is placed elsewhere',
        operationId: 'revokeDevice',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Revoked.' }), ...problems('not-found') },
      },
    },
    async ({ params }, reply) => {
      await coordinator.devices.revoke(params.id);
      return reply.code(204).send(null);
    },
  );
};
