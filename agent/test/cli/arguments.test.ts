import { describe, expect, it } from 'vitest';
import { helpText, parseCommand } from '../../src/cli/index.ts';

describe('the command line', () => {
  it('joins with a token and the defaults', () => {
    expect(parseCommand(['join', 'shoal1_x'])).toEqual({
      command: 'join',
      token: 'shoal1_x',
      flags: { data: './shoal-agent', logFormat: 'text', logLevel: 'info' },
    });
  });

  it('takes options before and after the token', () => {
    const args = ['join', '--data', '/d', 'shoal1_x', '--name', 'pi', '--log-format', 'json', '--log-level=debug'];
    expect(parseCommand(args)).toEqual({
      command: 'join',
      token: 'shoal1_x',
      flags: { data: '/d', name: 'pi', logFormat: 'json', logLevel: 'debug' },
    });
  });

  it.each([
    ['2.5', 2_500_000],
    ['0', 0],
  ])('reads an upload limit of %s MB/s', (text, uploadBytesPerSecond) => {
    expect(parseCommand(['run', '--upload-limit', text])).toMatchObject({ flags: { uploadBytesPerSecond } });
  });

  it('reads run, status, doctor, help and version', () => {
    expect(parseCommand(['run'])).toMatchObject({ command: 'run' });
    expect(parseCommand(['status', '--json'])).toEqual({ command: 'status', json: true });
    expect(parseCommand(['doctor', '--data', 'x'])).toEqual({ command: 'doctor', data: 'x', json: false });
    expect(parseCommand(['install', 'T', '--kind', 'termux'])).toEqual({
      command: 'install',
      token: 'T',
      kind: 'termux',
    });
    expect(parseCommand(['upgrade', 'a.tgz', '--root', 'r'])).toEqual({
      command: 'upgrade',
      source: 'a.tgz',
      root: 'r',
    });
    expect(parseCommand(['uninstall', '--keep-data'])).toEqual({ command: 'uninstall', keepData: true });
    for (const args of [[], ['--help'], ['-h'], ['join', '--help'], ['doctor', '-h']]) {
      expect(parseCommand(args)).toEqual({ command: 'help' });
    }
    expect(parseCommand(['--version'])).toEqual({ command: 'version' });
  });

  it.each([
    [['join'], 'needs a token'],
    [['join', 'a', 'b'], 'one argument too many'],
    [['join', 'a', '--dataa', 'x'], /^Unknown option '--dataa'$/],
    [['run', 'a'], 'a'],
    [['run', '--colour'], '--colour'],
    [['run', '--upload-limit', 'fast'], '--upload-limit must be a number of MB/s, 0 or more, is fast'],
    [['run', '--upload-limit=-1'], '-1'],
    [['run', '--upload-limit', ''], '--upload-limit'],
    [['run', '--log-format', 'xml'], '--log-format must be text or json, is xml'],
    [['install', 'a', '--kind', 'cron'], '--kind must be systemd or launchd or termux, is cron'],
    [['uninstall', 'a'], 'a'],
    [['dance'], 'no command dance'],
  ])('says what is wrong with %j', (args, words) => {
    expect(() => parseCommand(args)).toThrow(expect.objectContaining({ code: 'input.invalid' }));
    expect(() => parseCommand(args)).toThrow(words);
  });

  it('names every command and option in its help', () => {
    for (const word of [
      'join <token>',
      'run',
      'status',
      'doctor',
      'install <token>',
      'upgrade [package]',
      'uninstall',
      '--root',
      '--kind',
      '--keep-data',
      '--data',
      '--name',
      '--upload-limit',
      '--log-format',
      '--log-level',
      '--json',
    ]) {
      expect(helpText).toContain(word);
    }
  });
});
