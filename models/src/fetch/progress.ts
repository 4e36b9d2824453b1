export interface FetchProgress {
  /** What is being fetched, for a person. */
  readonly name: string;
  readonly receivedBytes: number;
  /** Left out when the server does not say. */
  readonly totalBytes?: number;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}
