import type { RecordedCommand, RecordedSystem } from './recorded-system-reader.ts';
import type { SystemReader } from './system-reader.ts';

/**
 * A reader that writes down what it is asked and answered, so that a machine that is probed wrongly can be sent to us as a
 * file and become a test. Serial numbers and network names are left out.
 */
export function recordingSystemReader(
  reader: SystemReader,
): SystemReader & { recording(about: string): RecordedSystem } {
  const files: Record<string, string | null> = {};
  const commands: Record<string, RecordedCommand> = {};
  const disks: Record<string, { totalBytes: number; freeBytes: number }> = {};
  return {
    host: () => reader.host(),
    async readText(path) {
      const text = await reader.readText(path);
      if (text !== undefined) files[path] = withoutSerials(text);
      else if ((await reader.access(path)) !== 'missing') files[path] ??= null;
      return text;
    },
    async list(folder) {
      const names = await reader.list(folder);
      // A name that is never opened still has to be listed when the recording is read.
      for (const name of names) if (!(`${folder}/${name}` in files)) files[`${folder}/${name}/.listed`] = '';
      return names;
    },
    async access(path) {
      const answer = await reader.access(path);
      if (answer !== 'missing') files[path] ??= answer === 'usable' ? '' : null;
      return answer;
    },
    async diskSpace(path) {
      const space = await reader.diskSpace(path);
      if (space) disks[path] = space;
      return space;
    },
    async run(command, args, options) {
      const output = await reader.run(command, args, options);
      if (output) commands[[command, ...args].join(' ')] = output;
      return output;
    },
    recording: (about) => ({ about, host: reader.host(), files: { ...files }, commands, disks }),
  };
}

function withoutSerials(text: string): string {
  return text.replace(/^(Serial\s*:|POWER_SUPPLY_SERIAL_NUMBER=).*$/gim, '$1');
}
