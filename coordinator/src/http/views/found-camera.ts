import { type Static, Type } from 'typebox';
import type { FoundCamera as Found } from '../../domain/index.ts';
import { named, present } from './schema.ts';

export const DiscoverRequest = named(
  'DiscoverRequest',
  Type.Object(
    {
      seconds: Type.Optional(
        Type.Number({
          minimum: 0.5,
          maximum: 30,
          default: 6,
          description: 'How long to listen for answers. CoAP servers take up to 5 s.',
        }),
      ),
      login: Type.Optional(
        Type.Object(
          { user: Type.String({ minLength: 1, maxLength: 256 }), password: Type.String({ maxLength: 256 }) },
          {
            additionalProperties: false,
            description:
              'For cameras of ONVIF, which tell their streams to who logs in. Whatever answers as one is shown a digest of the password.',
          },
        ),
      ),
    },
    { additionalProperties: false },
  ),
);

export const FoundCamera = named(
  'FoundCamera',
  Type.Object({
    name: Type.String(),
    hardware: Type.Optional(Type.String()),
    address: Type.String({ description: 'IPv4, where it answered from.' }),
    sources: Type.Array(Type.String(), { description: 'URLs at that address, without passwords, the best first.' }),
    via: Type.Union([Type.Literal('onvif'), Type.Literal('mdns'), Type.Literal('coap')], {
      description: 'How it was found.',
    }),
    known: Type.Optional(Type.String({ description: 'Id of the camera that reads it already.' })),
    reason: Type.Optional(Type.String({ description: 'Why there is no source.' })),
  }),
);
export type FoundCamera = Static<typeof FoundCamera.definition>;

export function foundCameraView(found: Found): FoundCamera {
  return present<FoundCamera>({ ...found, sources: [...found.sources] });
}
