/** Follows server-sent events until the returned function is called. The browser connects again by itself. */
export function follow(path: string, kind: string, listener: (data: unknown) => void): () => void {
  const source = new EventSource(path);
  source.addEventListener(kind, ({ data }: MessageEvent<string>) => listener(JSON.parse(data)));
  return () => source.close();
}
