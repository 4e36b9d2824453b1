/** A webhook's URL as it may be shown and logged: many services (Slack, Discord, Home Assistant) have the secret in the path. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed) return '…';
  return parsed.pathname === '/' && parsed.search === '' ? parsed.origin : `${parsed.origin}/…`;
}
