import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser, hasChromium, type WatchedPage } from '../support/browser.ts';
import { Child } from '../support/child.ts';
import { canMakeClips, makeClip } from '../support/clips.ts';
import { coordinatorBin, Fleet } from '../support/fleet.ts';
import { photoFiles } from '../support/photos.ts';

const ready = hasChromium() && (await canMakeClips());
const why = ready ? '' : ' (chromium, ffmpeg or the pictures are not there)';
const onvifCamera = join(import.meta.dirname, '../../coordinator/test/discovery/onvif-camera.ts');
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** How many colours the first canvas has, and how many of its pixels that of boxes. One look: a second one would make the browser complain. */
const canvasColours = `(() => {
  const canvas = document.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  return { colours: colours.size, ofBoxes: colours.get(0x45c4b0) ?? 0 };
})()`;

describe.skipIf(!ready)(`the page in a real browser${why}`, () => {
  let fleet: Fleet;
  let browser: Browser;
  let clip: string;
  let shown: WatchedPage;

  beforeAll(async () => {
    fleet = await Fleet.start({ agents: 1 });
    clip = await makeClip(fleet.directory);
    browser = await Browser.start();
    shown = await browser.open(fleet.url);
  }, 120_000);

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await fleet?.[Symbol.asyncDispose]();
  });

  it('asks nobody on this machine for a key, and says that there are no cameras yet', async () => {
    await shown.page.getByText('No cameras yet.').waitFor();
    expect(await shown.page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
  });

  it('adds a camera and shows its picture before it is kept', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Add a camera' }).click();
    await page.getByLabel('Source').fill(clip);
    await page.getByLabel('Name').fill('Porch');
    await page.getByLabel('What it does').selectOption('detect');
    await page.getByRole('button', { name: 'Add and look' }).click();
    await page.getByText('Porch is watched.').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Keep it', exact: true }).click();
    await page.getByRole('heading', { name: 'Porch' }).waitFor();
  }, 90_000);

  it('looks for cameras, and puts the stream that is chosen into the form, with its login', async () => {
    const { page } = shown;
    const camera = new Child(process.execPath, ['--conditions=source', onvifCamera, '127.0.0.1', 'viewer', 'h@nter2']);
    try {
      await camera.line(/listening/);
      await page.goto(`${fleet.url}/#/add`);
      await page.getByText('Look for cameras on the network').click();
      await page.getByLabel('User at the cameras').fill('viewer');
      await page.getByLabel('Password').fill('h@nter2');
      await page.getByRole('button', { name: 'Look', exact: true }).click();
      await page
        .getByRole('button', { name: 'rtsp://127.0.0.1/sub?profile=1&unicast=true' })
        .click({ timeout: 60_000 });
      const source = page.getByLabel('Source');
      expect(await source.inputValue()).toBe('rtsp://viewer:h%40nter2@127.0.0.1/sub?profile=1&unicast=true');
      expect(await page.getByLabel('Name').inputValue()).toBe('Front door');
    } finally {
      await camera.stop();
    }
  }, 90_000);

  it('shows live pictures with what is seen on them, and how old they are', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Cameras' }).click();
    const picture = page.getByRole('img', { name: /Porch: .*dog/ });
    await picture.waitFor({ timeout: 60_000 });
    await page.getByText(/^\d+ ms$/).waitFor();
    const latency = Number.parseInt((await page.getByText(/^\d+ ms$/).textContent()) ?? '', 10);
    expect(latency).toBeGreaterThan(0);
    expect(latency).toBeLessThan(5_000);
    const { colours, ofBoxes } = await page.evaluate<{ colours: number; ofBoxes: number }>(canvasColours);
    expect(colours).toBeGreaterThan(500);
    expect(ofBoxes).toBeGreaterThan(100);
  }, 90_000);

  it('lets a zone be drawn by keyboard alone, and keeps it', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Open Porch' }).press('Enter');
    await page.getByRole('button', { name: 'Zones and lines' }).press('Enter');
    await page.getByRole('button', { name: 'New zone' }).press('Enter');
    await page.getByRole('textbox', { name: 'Name of zone zone 1' }).fill('steps');
    const first = page.getByRole('button', { name: /^steps, point 1 of 4/ });
    await first.focus();
    await first.press('ArrowLeft');
    await first.press('Shift+ArrowUp');
    await first.press('+');
    await page.getByRole('button', { name: /^steps, point 3 of 5/ }).press('Delete');
    await page.getByRole('button', { name: 'Save' }).press('Enter');
    await page.getByRole('button', { name: 'Zones and lines' }).waitFor();
    const { items } = await fleet.json<{ items: { pipeline: string; parameters: object }[] }>('GET', '/v1/cameras');
    expect(items[0]).toMatchObject({
      pipeline: 'watch',
      parameters: { zones: { steps: [[0.29, 0.3], expect.anything(), [0.7, 0.8], [0.3, 0.8]] } },
    });
    await page.getByText('steps').first().waitFor();
  }, 60_000);

  it('lets a point be drawn elsewhere with a pointer, and lets go of what is cancelled', async () => {
    const { page } = shown;
    await page.getByRole('button', { name: 'Zones and lines' }).click();
    const point = page.getByRole('button', { name: /^steps, point 1 of 4: 29 % from the left/ });
    const place = await point.boundingBox();
    if (!place) throw new Error('the point is not on the screen');
    await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
    await page.mouse.down();
    await page.mouse.move(place.x - 150, place.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: /^steps, point 1 of 4: 1\d % from the left/ }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Zones and lines' }).click();
    await point.waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
  });

  it('tells of what comes and stays, as it happens', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Events' }).click();
    await page
      .getByRole('cell', { name: /^dog \d/ })
      .first()
      .waitFor({ timeout: 60_000 });
    await page.getByRole('img', { name: /events? of 1 cameras/ }).waitFor();
    await page.getByLabel('Label').fill('zebra');
    await page.getByText('No event fits.').waitFor();
  }, 90_000);

  it('analyzes a picture that is given to it, and explains where that ran', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Tasks' }).click();
    const photo = (await photoFiles()).find((path) => path.endsWith('dog.jpg')) ?? '';
    await page.locator('input[type=file]').setInputFiles(photo);
    await page.getByRole('status').getByText('succeeded').waitFor({ timeout: 60_000 });
    await page.getByRole('heading', { name: /^Why / }).waitFor();
    await page.getByText('chosen').waitFor();
    await page.getByText(/devices? (was|were) looked at/).waitFor();
    await page.getByRole('img', { name: /analysed: .*dog/ }).waitFor();
  }, 90_000);

  it('checks a proof in the browser itself, asking nobody, and finds a flipped bit', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Check its proof' }).click();
    await page.getByRole('heading', { name: 'It holds' }).waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    for (let times = 0; times < 5; times++) {
      await page.getByRole('button', { name: 'Flip a bit and check again' }).click();
      await page.getByRole('heading', { name: 'It does not hold' }).waitFor();
    }
    page.removeAllListeners('request');
    expect(asked.filter((path) => !/^\/v1\/(cameras|devices|version)$/.test(path))).toEqual([]);
  });

  it('takes a bundle from a file as shoal verify does', async () => {
    const { page } = shown;
    const { items } = await fleet.json<{ items: { id: string }[] }>('GET', '/v1/tasks');
    const bundle = await fetch(`${fleet.url}/v1/tasks/${items[0]?.id}/result/bundle`);
    const buffer = Buffer.from(await bundle.arrayBuffer());
    await page.getByRole('link', { name: 'Proofs' }).click();
    await page.getByRole('heading', { name: /^It / }).waitFor({ state: 'detached' });
    const file = (content: Buffer) => ({ name: 'a.proof.json', mimeType: 'application/json', buffer: content });
    await page.locator('input[type=file]').setInputFiles(file(buffer));
    await page.getByRole('heading', { name: 'It holds' }).waitFor();
    for (const at of [20, buffer.length >> 1, buffer.length - 20]) {
      const changed = Buffer.from(buffer);
      changed[at] = (changed[at] ?? 0) ^ 4;
      await page.locator('input[type=file]').setInputFiles(file(changed));
      await page.getByRole('heading', { name: 'It does not hold' }).waitFor();
    }
  });

  it('makes a token with its QR code', async () => {
    const { page } = shown;
    await page.getByRole('link', { name: 'Join', exact: true }).click();
    await page.getByRole('button', { name: 'Make a token' }).click();
    await page.getByRole('img', { name: 'The token as a QR code' }).waitFor();
    await page.getByText(/npx shoal-agent join shoal1_/).waitFor();
  });

  it.each(['cameras', 'events', 'fleet', 'tasks', 'models', 'proofs', 'join', 'health', 'add'])(
    'has no serious finding of accessibility on %s, dark and light, wide and narrow',
    async (path) => {
      const { page } = shown;
      for (const [colorScheme, width] of [
        ['dark', 1280],
        ['light', 375],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`${fleet.url}/#/${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        expect(await seriousFindings(page)).toEqual([]);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, `${path} is wider than ${width} pixels`).toBeLessThanOrEqual(0);
      }
    },
    60_000,
  );

  it('has none either on a camera, its zones editor, a device and a task', async () => {
    const { page } = shown;
    const idOf = async (path: string) => (await fleet.json<{ items: { id: string }[] }>('GET', path)).items[0]?.id;
    for (const [path, of] of [
      ['fleet', '/v1/devices'],
      ['tasks', '/v1/tasks'],
      ['cameras', '/v1/cameras'],
    ] as const) {
      await page.goto(`${fleet.url}/#/${path}/${await idOf(of)}`);
      await page.getByRole('heading', { level: 2 }).first().waitFor();
      expect(await seriousFindings(page)).toEqual([]);
    }
    await page.getByRole('button', { name: 'Zones and lines' }).click();
    expect(await seriousFindings(page)).toEqual([]);
  }, 60_000);

  it('has complained of nothing so far: no error, and nothing that its policy forbids', () => {
    expect(shown.complaints).toEqual([]);
  });

  it('says when the coordinator is gone, and goes on by itself when it is back', async () => {
    const { page } = shown;
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${fleet.url}/#/cameras`);
    await page.getByText('Connected').waitFor();
    fleet.coordinator.process.kill('SIGKILL');
    await page.getByText(/trying again/).waitFor();
    await fleet.restartCoordinator();
    await page.getByText('Connected').waitFor({ timeout: 60_000 });
    const before = await page.locator('canvas').screenshot();
    await page.getByRole('img', { name: /Porch: / }).waitFor();
    expect(before.length).toBeGreaterThan(1_000);
  }, 120_000);
});

describe.skipIf(!hasChromium())(
  `a browser that is asked for a key${hasChromium() ? '' : ' (chromium is not there)'}`,
  () => {
    it('signs in once, keeps no key, stays signed in, and signs out', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'shoal-page-'));
      const ports = ['--http-port', '0', '--mqtt-host', '127.0.0.1', '--mqtt-port', '0'];
      const coordinator = new Child(process.execPath, [
        coordinatorBin,
        'coordinator',
        '--data',
        directory,
        ...ports,
        '--json',
      ]);
      try {
        const [said = ''] = await coordinator.line(/^\{.*\}$/);
        const { url, apiKey } = JSON.parse(said) as { url: string; apiKey: string };
        await using browser = await Browser.start();
        const { page, complaints } = await browser.open(url);
        const field = page.getByLabel('API key');
        await field.fill('shoal_wrong');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByText('does not know that key').waitFor();
        await field.fill(apiKey);
        await field.press('Enter');
        await page.getByText('No cameras yet.').waitFor();
        const [cookie] = await page.context().cookies();
        expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
        const kept = await page.evaluate<string>(
          'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie])',
        );
        expect(kept).toBe(JSON.stringify([{}, {}, `${url}/`, '']));
        await page.reload();
        await page.getByText('No cameras yet.').waitFor();
        await page.getByRole('button', { name: 'Sign out' }).click();
        await field.waitFor();
        await page.reload();
        await field.waitFor();
        // The wrong key, which the browser itself writes down, and nothing else.
        expect(complaints).toEqual([expect.stringContaining('401')]);
      } finally {
        await coordinator.stop();
        await rm(directory, { recursive: true, force: true });
      }
    }, 60_000);
  },
);

async function seriousFindings(page: Page): Promise<string[]> {
  // In a world of its own: the page's policy lets no other script in.
  const findings = await page
    .context()
    .newCDPSession(page)
    .then(async (session) => {
      const { frameTree } = await session.send('Page.getFrameTree');
      const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
      const axe = await readFile(axePath, 'utf8');
      await session.send('Runtime.evaluate', { contextId: executionContextId, expression: axe });
      const { result } = await session.send('Runtime.evaluate', {
        contextId: executionContextId,
        expression:
          "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => JSON.stringify(violations))",
        awaitPromise: true,
        returnByValue: true,
      });
      await session.detach();
      return JSON.parse(result.value as string) as Finding[];
    });
  return findings
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}
