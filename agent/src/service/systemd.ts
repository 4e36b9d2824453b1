import { type Layout, serviceName } from './layout.ts';

/** The unit of the agent. */
export function systemdUnit({ home, data, cache }: Layout): string {
  return `# Written by: shoal-agent install. Changes of your own: systemctl edit ${serviceName}
[Unit]
Description=Shoal agent
Wants=network-online.target
After=network-online.target
# It is tried for ever, ever more seldom.
StartLimitIntervalSec=0

[Service]
Type=notify
# What tells systemd is a child, systemd-notify: Node has no datagram sockets of that kind.
NotifyAccess=all
ExecStart=${home}/current/shoal-agent run --data ${data}
User=${serviceName}
Group=${serviceName}
StateDirectory=${serviceName}
StateDirectoryMode=0700
CacheDirectory=${serviceName}
CacheDirectoryMode=0700
Environment=SHOAL_CACHE_DIR=${cache} HOME=${data}
UMask=0077
TimeoutStartSec=120
TimeoutStopSec=40
WatchdogSec=120
Restart=always
RestartSec=5
# From systemd 254 on; an older one ignores them and waits 5 s each time.
RestartSteps=6
RestartMaxDelaySec=300

# What it may do. It may write memory that it executes: Node compiles while it runs.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# Cameras, graphics and accelerators; those that a machine has not got are passed over.
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-drm rw
DeviceAllow=char-accel rw
DeviceAllow=char-apex rw
DeviceAllow=char-hailo rw
DeviceAllow=char-nvidia rw
DeviceAllow=/dev/vcio rw

[Install]
WantedBy=multi-user.target
`;
}

/** The unit that ends an upgrade, also one that the power was cut in: it runs the version before, which is known to work. */
export function systemdTrialUnit({ home }: Layout): string {
  return `# Written by: shoal-agent install
[Unit]
Description=Shoal agent: keeps a new version that joins, goes back from one that does not
ConditionPathExists=${home}/trial.json
After=${serviceName}.service

[Service]
Type=oneshot
ExecStart=${home}/previous/shoal-agent settle

[Install]
WantedBy=multi-user.target
`;
}

/** The user that the agent is: made by systemd-sysusers, now or at the first start of an image. */
export function sysusers({ data }: Layout): string {
  return `# Written by: shoal-agent install
u ${serviceName} - "Shoal agent" ${data} -
m ${serviceName} video
m ${serviceName} render
`;
}
