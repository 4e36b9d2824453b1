import { ShoalError } from '@shoal/protocol';

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The way out, as a port. No error of it names more of a URL than its origin. */
export interface WebhookSender {
  /** Lets a URL pass whose name is not known just now. @throws `input.invalid`; `auth.forbidden` when it leads where it may not */
  check(url: string): Promise<void>;
  /**
   * One POST; redirects are not followed.
   * @returns the status of the answer
   * @throws `auth.forbidden`, `net.unreachable`; the reason of the signal
   */
  post(request: WebhookRequest, signal: AbortSignal): Promise<number>;
}

const refuse = async (): Promise<never> => {
  throw new ShoalError('auth.forbidden', 'this coordinator sends no webhooks');
};

/** Of a coordinator that was given no way out. */
export const noSender: WebhookSender = { check: refuse, post: refuse };
