import { Type } from 'typebox';
import type { Resource } from '../resource.ts';
import { DiscoverRequest, FoundCamera, foundCameraView, problems } from '../views/index.ts';

/** A CoAP server answers a group after a random time of up to 5 s (RFC 7252 §8.2). */
const usualSeconds = 6;

export const discovery: Resource =
  ({ coordinator, waits }) =>
  async (api) => {
    api.post(
      '/v1/cameras/discover',
      {
        schema: {
          tags: ['cameras'],
          summary: 'Look for cameras on the network of the coordinator',
          description:
            'By ONVIF (WS-Discovery), DNS-SD over multicast DNS, and CoAP. What is found is what cameras say of themselves: nothing was tried, and nothing is added.',
          operationId: 'discoverCameras',
          body: DiscoverRequest.definition,
          response: {
            200: Type.Object({ items: Type.Array(FoundCamera.ref) }),
            ...problems('rate-limited', 'net.unreachable'),
          },
        },
      },
      async ({ body }, reply) => {
        const { seconds = usualSeconds, login } = body;
        const options = { seconds, ...(login && { login }) };
        const { signal, close } = waits.open(reply);
        try {
          return { items: (await coordinator.discovery.find(options, signal)).map(foundCameraView) };
        } finally {
          close();
        }
      },
    );
  };
