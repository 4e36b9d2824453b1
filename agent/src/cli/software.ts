import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Name and version of this agent, as it signs for its results. */
export const software = `shoal-agent/${version}`;
