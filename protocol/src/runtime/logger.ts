export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Values that a log line may carry. Never a token, a key, a URL with a password, or a payload. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A structured log. A message is a constant sentence; what varies goes into the fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger over a sink: the sink decides where a record goes and which clock stamps it. */
export function createLogger(
  sink: (record: LogRecord) => void,
  level: LogLevel = 'info',
  fields: LogFields = {},
): Logger {
  const least = logLevels.indexOf(level);
  const at = (own: LogLevel) => {
    if (logLevels.indexOf(own) < least) return () => {};
    return (message: string, extra?: LogFields) => sink({ level: own, message, fields: { ...fields, ...extra } });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (extra) => createLogger(sink, level, { ...fields, ...extra }),
  };
}

export const silentLogger: Logger = createLogger(() => {}, 'error');
