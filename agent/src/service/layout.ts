import { posix } from 'node:path';

/** What starts the agent with the machine: systemd (Linux), launchd (macOS), Termux:Boot (Android). */
export const serviceKinds = ['systemd', 'launchd', 'termux'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

export const serviceName = 'shoal-agent';

/** Where everything of an installed agent lies, as the machine that runs it will see it. */
export interface Layout {
  readonly kind: ServiceKind;
  /** `versions/<version>`, the links `current` and `previous`, what an upgrade notes. Nothing in it is written by the agent. */
  readonly home: string;
  /** Key, state and results that wait: kept by an upgrade. */
  readonly data: string;
  readonly cache: string;
  /** The command, for people. */
  readonly command: string;
  /** What the service manager reads, by path. */
  readonly units: Readonly<Record<'agent' | 'trial' | 'users', string | undefined>>;
}

/** @param personHome Termux's home folder: there everything belongs to one person. */
export function layoutOf(kind: ServiceKind, personHome: string): Layout {
  switch (kind) {
    case 'systemd':
      return {
        kind,
        home: `/opt/${serviceName}`,
        data: `/var/lib/${serviceName}`,
        cache: `/var/cache/${serviceName}`,
        command: `/usr/local/bin/${serviceName}`,
        units: {
          agent: `/etc/systemd/system/${serviceName}.service`,
          trial: `/etc/systemd/system/${serviceName}-trial.service`,
          users: `/etc/sysusers.d/${serviceName}.conf`,
        },
      };
    case 'launchd':
      return {
        kind,
        home: `/opt/${serviceName}`,
        data: `/Library/Application Support/${serviceName}`,
        cache: `/Library/Caches/${serviceName}`,
        command: `/usr/local/bin/${serviceName}`,
        units: {
          agent: '/Library/LaunchDaemons/org.shoal.agent.plist',
          trial: '/Library/LaunchDaemons/org.shoal.agent-trial.plist',
          users: undefined,
        },
      };
    case 'termux': {
      const home = posix.join(personHome, '.local/share', serviceName);
      return {
        kind,
        home,
        data: `${home}/data`,
        cache: `${home}/cache`,
        command: posix.join(personHome, '.local/bin', serviceName),
        units: { agent: posix.join(personHome, '.termux/boot', serviceName), trial: undefined, users: undefined },
      };
    }
  }
}
