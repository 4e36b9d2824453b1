import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findProgram } from './find-program.ts';

const program = await findProgram('chromium', 'chromium-browser');

/** Whether Debian's `chromium` is installed. */
export function hasChromium(): boolean {
  return program !== undefined;
}

/** A page of a real Chromium that writes down whatever it complains of. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, of the console, and what the page's policy kept from happening. */
  readonly complaints: string[];
}

/** A real Chromium, with nothing that others left in it. */
export class Browser implements AsyncDisposable {
  readonly #browser: Awaited<ReturnType<typeof chromium.launch>>;
  readonly #contexts: BrowserContext[] = [];

  private constructor(browser: Awaited<ReturnType<typeof chromium.launch>>) {
    this.#browser = browser;
  }

  static async start(): Promise<Browser> {
    // As root, Chromium has no sandbox to run in.
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    const executablePath = program === 'chromium-browser' ? '/usr/bin/chromium-browser' : '/usr/bin/chromium';
    return new Browser(await chromium.launch({ executablePath, args }));
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on('console', (message) => {
      const { url: where } = message.location();
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${message.text()} ${where}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    return { page, complaints };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const context of this.#contexts) await context.close();
    await this.#browser.close();
  }
}
