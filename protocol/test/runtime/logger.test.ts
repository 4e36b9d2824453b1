import { createLogger, type LogRecord, logLevels, silentLogger } from '@shoal/protocol';
import { consoleLogSink } from '@shoal/protocol/real';
import { afterEach, describe, expect, test, vi } from 'vitest';

describe('a logger', () => {
  test.each(logLevels)('of level %s passes on that level and those above', (level) => {
    const seen: string[] = [];
    const logger = createLogger((record) => seen.push(record.level), level);
    for (const each of logLevels) logger[each]('hello');
    expect(seen).toEqual(logLevels.slice(logLevels.indexOf(level)));
  });

  test('has children that add fields, of which the nearest wins', () => {
    const records: LogRecord[] = [];
    const logger = createLogger((record) => records.push(record), 'info', { process: 'agent', task: 'none' });
    logger.child({ task: 't1' }).child({ attempt: 2 }).warn('refused', { attempt: 3 });
    logger.info('idle');
    logger.child({ task: 't1' }).debug('not of this level');
    expect(records).toEqual([
      { level: 'warn', message: 'refused', fields: { process: 'agent', task: 't1', attempt: 3 } },
      { level: 'info', message: 'idle', fields: { process: 'agent', task: 'none' } },
    ]);
  });

  test('that is silent says nothing and has silent children', () => {
    const write = vi.spyOn(process.stderr, 'write');
    silentLogger.child({ a: 1 }).error('nobody hears this');
    expect(write).not.toHaveBeenCalled();
    write.mockRestore();
  });
});

describe('the console', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  function printed(format: 'json' | 'text', record: LogRecord): string {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    consoleLogSink(format)(record);
    const [line] = write.mock.calls[0] ?? [];
    write.mockRestore();
    return String(line);
  }

  const hostile = {
    name: 'a"b\n12:00:00 error all is lost',
    clear: '\u001b[2J',
    size: 10n,
    error: new Error('no disk'),
  };

  test('prints one JSON object a line for machines', () => {
    const line = printed('json', {
      level: 'warn',
      message: 'late',
      fields: { ...hostile, level: 'x', nested: { error: hostile.error } },
    });
    expect(line.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      message: 'late',
      name: hostile.name,
      size: '10',
      error: 'no disk',
      nested: { error: 'no disk' },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  test('prints plain words for people, in which a field cannot forge a line or move the cursor', () => {
    const line = printed('text', { level: 'info', message: 'joined', fields: { device: 'd_1', ...hostile } });
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} info {2}joined device=d_1 name="a\\"b\\n12:00:00 error all is lost" clear="\\u001b/,
    );
    expect(line.match(/\n/g)).toHaveLength(1);
  });

  test('prints a line for a field that has no JSON', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(printed('text', { level: 'info', message: 'm', fields: { circle } })).toContain('circle="(not printable)"');
    expect(printed('json', { level: 'info', message: 'm', fields: { circle } })).toContain('not printable');
  });
});
