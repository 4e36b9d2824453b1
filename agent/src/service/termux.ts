import type { Layout } from './layout.ts';

/**
 * What Termux:Boot runs when the phone has started: it keeps the phone awake and the agent running. Android ends processes of its own accord: the
 * loop starts it again, ever more seldom while it does not stay up for a minute.
 */
export function termuxBootScript({ home, data, cache }: Layout, shell: string): string {
  return `#!${shell}
# Written by: shoal-agent install
home='${home}'
export SHOAL_CACHE_DIR='${cache}'
command -v termux-wake-lock >/dev/null && termux-wake-lock
echo $$ >"$home/agent.pid"
child=
trap 'trap "" TERM INT; kill -TERM "$child" 2>/dev/null; wait "$child"; rm -f "$home/agent.pid"; exit 0' TERM INT
[ ! -e "$home/trial.json" ] || "$home/previous/shoal-agent" settle &
log="$home/agent.log"
seconds=2
while :; do
  # One log of some megabytes, and the one before.
  [ "$(wc -c <"$log" 2>/dev/null || echo 0)" -lt 4000000 ] || mv "$log" "$log.1"
  began=$(date +%s)
  "$home/current/shoal-agent" run --data '${data}' >>"$log" 2>&1 &
  child=$!
  wait "$child"
  [ $(($(date +%s) - began)) -lt 60 ] || seconds=2
  sleep "$seconds" &
  child=$!
  wait "$child"
  seconds=$((seconds * 2))
  [ "$seconds" -le 300 ] || seconds=300
done
`;
}
