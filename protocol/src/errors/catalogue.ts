/**
 * Every error that crosses a boundary of Shoal, in one place. A code is a promise: programs compare codes, never text,
 * so a code is never renamed and never reused. `docs/errors.md` is generated from this table.
 */

/** Who has to act: the caller (bad request), the peer (bad message), us (a defect), or the environment (disk, network). */
export type Blame = 'caller' | 'peer' | 'us' | 'environment';

export interface ErrorKind {
  readonly blame: Blame;
  /** HTTP status (RFC 9110) the REST API answers with. */
  readonly http: number;
  /** CoAP response code (RFC 7252 §12.1.2), for example `4.04`. */
  readonly coap: string;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** One sentence for a person: what went wrong, in general. */
  readonly title: string;
}

const kind = (blame: Blame, http: number, coap: string, retryable: boolean, title: string): ErrorKind => ({
  blame,
  http,
  coap,
  retryable,
  title,
});

export const errorCatalogue = {
  // What a caller asked for
  'input.invalid': kind(
    'caller',
    400,
    '4.00',
    false,
    'A field of the request is missing, unknown or has a wrong value.',
  ),
  'input.too-large': kind('caller', 413, '4.13', false, 'The input is larger than the limit.'),
  'input.unsupported': kind('caller', 415, '4.15', false, 'The input is of a kind that cannot be read.'),
  'input.corrupt': kind('caller', 422, '4.00', false, 'The input ends early or contradicts itself.'),
  'auth.missing': kind('caller', 401, '4.01', false, 'The request carries no API key, or one that is not known.'),
  'auth.forbidden': kind('caller', 403, '4.03', false, 'The request is not allowed.'),
  'not-found': kind('caller', 404, '4.04', false, 'No such thing is known.'),
  conflict: kind('caller', 409, '4.09', false, 'The request contradicts what is already known.'),
  'rate-limited': kind('caller', 429, '4.29', true, 'Too much at once; try again in a moment.'),

  // What a peer sent
  'message.malformed': kind('peer', 400, '4.00', false, 'The bytes are not a message of this protocol.'),
  'message.version': kind('peer', 400, '4.00', false, 'The message is of a protocol version that is not spoken here.'),
  'message.too-large': kind('peer', 413, '4.13', false, 'The message is larger than the limit.'),
  'message.signature': kind('peer', 401, '4.01', false, 'The signature does not fit the bytes or the sender.'),
  'message.expired': kind('peer', 401, '4.01', true, 'The message came too late to be acted on.'),
  'message.replayed': kind('peer', 401, '4.01', false, 'The sequence was seen before.'),
  'message.misaddressed': kind(
    'peer',
    401,
    '4.01',
    false,
    'The message is for somebody else, or its sender speaks for another.',
  ),
  'device.unknown': kind('peer', 401, '4.01', false, 'The device has not joined.'),
  'device.revoked': kind('peer', 403, '4.03', false, 'The device was revoked.'),
  'device.pending': kind('peer', 403, '4.03', true, 'The device waits for the approval of an operator.'),
  'device.expired': kind('peer', 401, '4.01', true, 'What shows that the device belongs to the fleet has expired.'),
  'token.invalid': kind('caller', 400, '4.00', false, 'The join token is not one, or was cut short.'),
  'token.refused': kind('caller', 403, '4.03', false, 'The join token is unknown, used up or expired.'),
  'seal.required': kind('peer', 403, '4.03', true, 'Messages are sealed here, and this one was not.'),
  'seal.session': kind(
    'peer',
    503,
    '5.03',
    true,
    'There is no session to seal or open the message with; another is made.',
  ),
  'seal.algorithm': kind('peer', 400, '4.00', false, 'No way of sealing that was offered is known here.'),
  'attestation.invalid': kind('peer', 422, '4.00', false, 'The attestation does not fit the result it speaks of.'),
  'reply.failed': kind('peer', 502, '5.02', false, 'The peer answered with an error.'),

  // Models
  'model.unknown': kind('caller', 404, '4.04', false, 'The model or variant is not in the catalogue.'),
  'model.digest': kind('environment', 502, '5.02', false, 'A downloaded file does not have the digest it must have.'),
  'model.manifest': kind('caller', 422, '4.00', false, 'The model manifest is not valid.'),
  'model.import': kind('caller', 422, '4.00', false, 'The model file cannot be converted.'),
  'model.memory': kind('environment', 503, '5.03', true, 'There is too little memory to load the model.'),
  'engine.unavailable': kind('environment', 503, '5.03', false, 'No engine on this machine can run the model.'),
  'engine.failed': kind('us', 500, '5.00', true, 'The engine failed while it ran the model.'),

  // Work
  'work.refused': kind('environment', 503, '5.03', true, 'The device cannot take the work now.'),
  'work.no-device': kind('environment', 503, '5.03', true, 'No device can do the work.'),
  'work.expired': kind('environment', 504, '5.04', false, 'The deadline passed before the work was done.'),
  'work.cancelled': kind('caller', 409, '4.09', false, 'The work was cancelled.'),
  'source.unreadable': kind('environment', 502, '5.02', true, 'The camera or file gives no pictures.'),

  // The environment
  'io.disk-full': kind('environment', 507, '5.00', true, 'No space is left on the disk.'),
  'io.failed': kind('environment', 500, '5.00', true, 'Reading or writing failed.'),
  'net.unreachable': kind('environment', 502, '5.02', true, 'The peer cannot be reached.'),
  timeout: kind('environment', 504, '5.04', true, 'It took longer than allowed.'),
  aborted: kind('caller', 499, '5.03', true, 'It was stopped before it was done.'),
  'queue.full': kind('environment', 503, '5.03', true, 'A queue has reached its limit.'),
  closed: kind('environment', 503, '5.03', true, 'It is stopped or stopping.'),
  defect: kind('us', 500, '5.00', false, 'A defect in Shoal. Please report it.'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;
