import { ShoalError } from '@shoal/protocol';

export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Longest event that is held: a result with a thousand detections is a tenth of it. */
const mostEventLength = 4 << 20;

/** Reads server-sent events whose data is JSON (HTML Living Standard §9.2.6). @throws `message.too-large`, `message.malformed` */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    if (rest.length > mostEventLength) throw new ShoalError('message.too-large', 'an event of the server has no end');
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) yield event;
    }
  }
}

function parseBlock(block: string): ServerEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  if (data.length === 0) return undefined;
  try {
    return { event, data: JSON.parse(data.join('\n')) };
  } catch (cause) {
    throw new ShoalError('message.malformed', 'an event of the server is not JSON', {}, { cause });
  }
}
