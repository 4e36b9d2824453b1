import { asShoalError, isErrorCode, ShoalError } from '@shoal/protocol';
import { readEvents, type ServerEvent } from './read-events.ts';

export interface ApiClientOptions {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  readonly key?: string;
}

export interface ApiRequest {
  readonly json?: unknown;
  readonly body?: FormData | Uint8Array<ArrayBuffer>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The REST API, for programs on Node. Problems (RFC 9457) are thrown as the {@link ShoalError} that they were. */
export class ApiClient {
  readonly url: string;
  readonly #key: string | undefined;

  constructor({ url, key }: ApiClientOptions) {
    this.url = url.replace(/\/+$/, '');
    this.#key = key;
  }

  /** @returns the JSON of the answer; `undefined` when it has none. */
  async call<Answer>(method: Method, path: string, request: ApiRequest = {}): Promise<Answer> {
    const response = await this.#send(method, path, request);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  async bytes(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#send('GET', path, signal ? { signal } : {});
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Server-sent events until the server ends them or the signal fires. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const response = await this.#send('GET', path, { signal, headers: { accept: 'text/event-stream' } });
    if (response.body) yield* readEvents(response.body);
  }

  async #send(
    method: Method,
    path: string,
    { json, body, query = {}, headers, signal }: ApiRequest,
  ): Promise<Response> {
    const target = new URL(this.url + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const content = json === undefined ? body : JSON.stringify(json);
    const response = await fetch(target, {
      method,
      headers: {
        ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
      ...(signal ? { signal } : {}),
    }).catch((thrown: unknown) => {
      throw unreachable(thrown, this.url, signal);
    });
    if (!response.ok) throw await problemOf(response, this.url);
    return response;
  }
}

function unreachable(thrown: unknown, url: string, signal: AbortSignal | undefined): ShoalError {
  if (signal?.aborted) return new ShoalError('aborted', 'interrupted', {}, { cause: thrown });
  const { cause } = thrown as { cause?: NodeJS.ErrnoException };
  const why = cause?.code ?? cause?.message ?? asShoalError(thrown).message;
  return new ShoalError('net.unreachable', `no coordinator answers at ${url} (${why})`, { url }, { cause: thrown });
}

async function problemOf(response: Response, url: string): Promise<ShoalError> {
  const text = await response.text().catch(() => '');
  try {
    const { code, detail, facts } = JSON.parse(text) as { code?: string; detail?: string; facts?: ShoalError['facts'] };
    if (code !== undefined && isErrorCode(code)) return new ShoalError(code, detail ?? code, facts);
  } catch {
    // Not ours: said below.
  }
  return new ShoalError('net.unreachable', `${url} answered ${response.status}, but it is no Shoal coordinator`, {
    url,
  });
}
