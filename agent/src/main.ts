import { isShoalError, silentLogger } from '@shoal/protocol';
import { interruption } from '@shoal/protocol/real';
import { helpText, loadDoctor, loadStatus, type ParsedCommand, parseCommand, software } from './cli/index.ts';

/** Wrong arguments, as shells and service managers know it. */
const usageError = 2;

/** Each command loads what it needs: an agent that waits for work is small. */
async function execute(parsed: ParsedCommand): Promise<number> {
  switch (parsed.command) {
    case 'join':
    case 'run': {
      const { run } = await import('./run-main.ts');
      return run({ ...parsed.flags, ...(parsed.command === 'join' && { token: parsed.token }) }, interruption());
    }
    case 'status': {
      const { describeStatus, readStatus } = await loadStatus();
      const status = await readStatus(parsed.data);
      process.stdout.write(parsed.json ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status));
      return 0;
    }
    case 'doctor': {
      const { describeReport, examine } = await loadDoctor();
      const { lazyModels } = await import('./ports.ts');
      const report = await examine(parsed.data, lazyModels(silentLogger), interruption());
      process.stdout.write(parsed.json ? `${JSON.stringify(report, null, 2)}\n` : describeReport(report));
      return report.engines.some(({ works }) => works) ? 0 : 1;
    }
    case 'version':
      process.stdout.write(`${software}\n`);
      return 0;
    case 'help':
      process.stdout.write(helpText);
      return 0;
  }
}

try {
  process.exit(await execute(parseCommand(process.argv.slice(2))));
} catch (error) {
  // What is known is said in one line; what is not is a defect, and its place is wanted.
  const known = isShoalError(error) && error.code !== 'defect';
  const words = known ? error.message : error instanceof Error ? error.stack : String(error);
  const wrongUsage = isShoalError(error, 'input.invalid');
  process.stderr.write(`shoal-agent: ${words}\n${wrongUsage ? 'Try shoal-agent --help\n' : ''}`);
  process.exit(wrongUsage ? usageError : 1);
}
