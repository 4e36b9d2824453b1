import { isShoalError, redactWords, silentLogger } from '@shoal/protocol';
import { interruption } from '@shoal/protocol/real';
import {
  helpText,
  loadDoctor,
  loadService,
  loadStatus,
  type ParsedCommand,
  parseCommand,
  software,
} from './cli/index.ts';

/** Wrong arguments, as shells and service managers know it. */
const usageError = 2;

/** Each command loads what it needs: an agent that waits for work is small. */
async function execute(parsed: ParsedCommand): Promise<number> {
  switch (parsed.command) {
    case 'join':
    case 'run': {
      const { run } = await import('./run-main.ts');
      const token = parsed.command === 'join' ? await (await loadService()).readToken(parsed.token) : undefined;
      return run({ ...parsed.flags, ...(token !== undefined && { token }) }, interruption());
    }
    case 'rekey': {
      const { rekey } = await import('./run-main.ts');
      return rekey(parsed.flags, interruption());
    }
    case 'status': {
      const { describeStatus, readStatus } = await loadStatus();
      const { describeService, folderToLookAt } = await loadService();
      const { data, service } = await folderToLookAt(parsed.data, parsed.root);
      const status = await readStatus(data);
      const words = `${describeStatus(status)}${(service ? describeService(service) : []).map((line) => `${line}\n`).join('')}`;
      process.stdout.write(parsed.json ? `${JSON.stringify({ ...status, service }, null, 2)}\n` : words);
      return 0;
    }
    case 'doctor': {
      const { describeReport, examine } = await loadDoctor();
      const { lazyModels } = await import('./ports.ts');
      const { describeService, folderToLookAt } = await loadService();
      const { data, service } = await folderToLookAt(parsed.data, parsed.root);
      const report = await examine(data, lazyModels(silentLogger), interruption());
      const words = [
        ...(service
          ? describeService(service)
          : ['service      none: it does not start with this machine (shoal-agent install TOKEN)']),
        '',
      ].join('\n');
      process.stdout.write(
        parsed.json ? `${JSON.stringify({ ...report, service }, null, 2)}\n` : `${words}${describeReport(report)}`,
      );
      return report.engines.some(({ works }) => works) ? 0 : 1;
    }
    case 'install':
    case 'upgrade':
    case 'uninstall':
    case 'settle': {
      const { serve } = await loadService();
      const { code, said } = await serve(parsed, interruption(), process.env);
      process.stdout.write(said);
      return code;
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
  process.stderr.write(`shoal-agent: ${redactWords(words ?? '')}\n${wrongUsage ? 'Try shoal-agent --help\n' : ''}`);
  process.exit(wrongUsage ? usageError : 1);
}
