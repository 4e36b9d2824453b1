import type { LogRecord } from '../logger.ts';

/**
 * One line a record on standard error, so that standard output stays free for results: JSON for machines (journald, Loki),
 * plain words for people. What a peer sent may be in a field: no value can break a line or the sink.
 */
export function consoleLogSink(format: 'json' | 'text'): (record: LogRecord) => void {
  return ({ level, message, fields }) => {
    const time = new Date().toISOString();
    const line =
      format === 'json'
        ? toJson({ ...fields, time, level, message })
        : `${time.slice(11, 23)} ${level.padEnd(5)} ${message}${asWords(fields)}`;
    process.stderr.write(`${line}\n`);
  };
}

function asWords(fields: LogRecord['fields']): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${isPlainWord(value) ? value : toJson(value)}`)
    .join('');
}

function isPlainWord(value: unknown): value is string {
  return typeof value === 'string' && /^[^\s"\p{C}]+$/u.test(value);
}

/** JSON of anything: an error is its message, a big integer its digits; what has no JSON (a circle) is said to have none. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_name, inner: unknown) => {
      if (inner instanceof Error) return inner.message;
      return typeof inner === 'bigint' ? String(inner) : inner;
    });
  } catch {
    return '"(not printable)"';
  }
}
