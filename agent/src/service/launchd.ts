import { type Layout, serviceName } from './layout.ts';

/**
 * The job of the agent: started with the machine and whenever it ends, no sooner than every 10 s.
 * @param user whose it is: whoever installs it
 */
export function launchdJob(layout: Layout, user: string): string {
  const { home, data, cache } = layout;
  return job('org.shoal.agent', [`${home}/current/shoal-agent`, 'run', '--data', data], {
    KeepAlive: true,
    ThrottleInterval: 10,
    UserName: user,
    Umask: 0o77,
    EnvironmentVariables: { SHOAL_CACHE_DIR: cache, HOME: data },
    StandardOutPath: `${data}/${serviceName}.log`,
    StandardErrorPath: `${data}/${serviceName}.log`,
  });
}

/** The job that ends an upgrade, also one that the power was cut in; without one it ends at once. */
export function launchdTrialJob({ home }: Layout): string {
  return job(
    'org.shoal.agent-trial',
    ['/bin/sh', '-c', `[ ! -e ${home}/trial.json ] || ${home}/previous/shoal-agent settle`],
    {},
  );
}

type Value = string | number | boolean | readonly string[] | { readonly [key: string]: Value };

function job(label: string, command: readonly string[], more: Readonly<Record<string, Value>>): string {
  const keys: Value = { Label: label, ProgramArguments: command, RunAtLoad: true, ...more };
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${element(keys)}
</plist>
`;
}

function element(value: Value): string {
  if (typeof value === 'string') return `<string>${escaped(value)}</string>`;
  if (typeof value === 'number') return `<integer>${value}</integer>`;
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>';
  if (Array.isArray(value)) return `<array>\n${value.map((one) => element(one)).join('\n')}\n</array>`;
  const pairs = Object.entries(value).map(([key, one]) => `<key>${escaped(key)}</key>\n${element(one)}`);
  return `<dict>\n${pairs.join('\n')}\n</dict>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
