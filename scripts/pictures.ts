import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import sharp from 'sharp';

/*
 * Makes the pictures of the page in docs/pictures, of a fleet that it starts for it: `node scripts/pictures.ts`. Needs Debian's chromium and ffmpeg.
 * What they show is the sample clip of npm start (Apache-2.0).
 */
const root = join(import.meta.dirname, '..');
const folder = join(root, 'docs/pictures');
const quality = 82;
const size = { width: 1280, height: 760 };
const phone = { width: 390, height: 760 };

interface Camera {
  readonly id: string;
  readonly source: string;
}

/** Where the clip has a name that says what it is. */
const clips = await mkdtemp(join(tmpdir(), 'shoal-'));
const fleet = spawn(
  process.execPath,
  [join(root, 'scripts/start.ts'), '--agents', '2', '--http-port', '0', '--mqtt-port', '0'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
try {
  const url = await addressOf();
  await mkdir(folder, { recursive: true });
  const { items } = await call<{ items: Camera[] }>(url, '/v1/cameras');
  const [sample] = items;
  if (!sample) throw new Error('npm start attached no camera');
  const clip = join(clips, 'square.webm');
  await copyFile(sample.source, clip);
  const zones = {
    crossing: [
      [0.05, 0.45],
      [0.55, 0.35],
      [0.8, 0.95],
      [0.1, 0.95],
    ],
  };
  const watching = { source: clip, loop: true, targetFps: 3, pipeline: 'watch' };
  const door = await call<Camera>(url, '/v1/cameras', { ...watching, name: 'Market square', parameters: { zones } });
  await call(url, '/v1/cameras', { ...watching, name: 'Station, west exit', targetFps: 2 });
  await call(url, '/v1/cameras', {
    source: 'rtsp://viewer:secret@192.0.2.7/stream1',
    name: 'Loading bay',
    targetFps: 5,
  });
  await sleep(20_000);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const take = async (
    name: string,
    path: string,
    options: { viewport?: typeof size; colorScheme?: 'dark' | 'light' } = {},
  ) => {
    const context = await browser.newContext({ viewport: size, colorScheme: 'dark', ...options });
    const page = await context.newPage();
    await page.goto(`${url}/#/${path}`);
    await settled(page);
    await sharp(await page.screenshot())
      .webp({ quality })
      .toFile(join(folder, `${name}.webp`));
    await context.close();
  };
  await take('cameras', 'cameras', { viewport: { ...size, height: 660 } });
  await take('camera', `cameras/${door.id}`, { colorScheme: 'light' });
  await take('events', 'events');
  await take('phone', 'cameras', { viewport: phone, colorScheme: 'light' });
  await browser.close();
} finally {
  fleet.kill('SIGINT');
  await rm(clips, { recursive: true, force: true });
}

async function addressOf(): Promise<string> {
  for await (const line of createInterface({ input: fleet.stdout })) {
    const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('npm start ended before it said where the page is');
}

async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await sleep(5_000);
}

async function call<Answer>(url: string, path: string, json?: unknown): Promise<Answer> {
  const sent =
    json === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) };
  const response = await fetch(url + path, sent);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
