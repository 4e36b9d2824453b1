// Installs and builds what a command needs, and does nothing, at once, when nothing is needed.
// Runs before `npm start`, `npm test`, `npm run check` and `npm run bench`, on a fresh clone too: so it is plain JavaScript
// for Node 20 that uses Node's own modules only. Everything after it runs on the pinned Node (docs/decisions/0001).
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The oldest that runs TypeScript sources without a flag. Published packages are built: 22.13 is enough for them. */
const oldestNode = [22, 18];
/** Longer than any install: a lock this old belongs to nobody, even when its process id is in use again. */
const longestLockMs = 30 * 60_000;
/** Of a step that fails. The first lines of npm and tsc say what is wrong, the later ones how to use npm. */
const mostLinesShown = 40;

const path = (/** @type {string[]} */ ...parts) => join(root, ...parts);
/** Holds the fingerprint of the sources that were built last. */
const buildStamp = path('node_modules', '.cache', 'shoal', 'built');
/** The page that the coordinator serves, and the same for it. */
const page = path('coordinator', 'dashboard');
const pageStamp = path('node_modules', '.cache', 'shoal', 'page-built');
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

try {
  await prepare();
} catch (error) {
  say(`\nNot ready: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function prepare() {
  // Generated code may be what a build lacks: its generator asks for no build.
  const installsOnly = process.argv.includes('--install');
  const isCompiled = () => installsOnly || isBuilt();
  const hasPage = () => installsOnly || isPageBuilt();
  if (isInstalled() && isCompiled() && hasPage()) return;
  await alone(async () => {
    if (!isInstalled()) await install();
    if (!isCompiled()) await build();
    if (!hasPage()) await buildPage();
  });
}

// ---- Install

/** Whether `node_modules` holds what the lock file says. npm writes its own copy of the lock last, so that it proves a whole install. */
function isInstalled() {
  const wanted = packagesOf(path('package-lock.json'));
  const present = packagesOf(path('node_modules', '.package-lock.json'));
  if (!wanted) throw new Error('package-lock.json is missing or not JSON. Restore it: git checkout package-lock.json');
  if (!present || !usableNode()) return false;
  return Object.entries(wanted).every(([place, { version, optional }]) => {
    if (place === '') return true;
    const found = present[place];
    return found ? found.version === version : optional === true;
  });
}

/** @returns {Record<string, { version?: string, optional?: boolean }> | undefined} */
function packagesOf(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install() {
  // Where no Node is pinned for the platform, an old one is found out before minutes of installing.
  if (process.platform !== 'linux' && !isNewEnough()) throw new Error(whatNode());
  const npm = npmCommand();
  await step(
    'Installing packages (once; one to three minutes)',
    npm.command,
    [...npm.args, 'ci', '--include=dev', '--loglevel=error', '--no-progress'],
    'Check that the package registry can be reached (npm ping), then run it by itself to see more: npm ci',
  );
  if (!usableNode()) throw new Error(whatNode());
}

/** The npm that runs this script; else the one on the path. */
function npmCommand() {
  const running = process.env['npm_execpath'];
  if (running && basename(running).startsWith('npm')) return { command: process.execPath, args: [running] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
}

// ---- Node

/** The Node that everything else runs on: the pinned one, or this one where none is pinned and this is new enough. */
function usableNode() {
  const pinned = path('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  return isNewEnough() ? process.execPath : undefined;
}

function isNewEnough() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = oldestNode;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function whatNode() {
  return (
    `Shoal's sources need Node ${oldestNode.join('.')} or newer, this is ${process.versions.node}, and npm has no Node for ` +
    `${process.platform}-${process.arch} here. Install Node 24 (https://nodejs.org) and run the command again.`
  );
}

// ---- Build

/** The workspaces that are compiled: those with a `src` folder. */
function compiledWorkspaces() {
  /** @type {string[]} */
  const workspaces = JSON.parse(readFileSync(path('package.json'), 'utf8')).workspaces;
  return workspaces.filter((workspace) => existsSync(path(workspace, 'src')));
}

function isBuilt() {
  if (compiledWorkspaces().some((workspace) => !existsSync(path(workspace, 'dist', '.tsbuildinfo')))) return false;
  return existsSync(buildStamp) && readFileSync(buildStamp, 'utf8') === fingerprint();
}

function isPageBuilt() {
  if (!existsSync(join(page, 'vite.config.ts'))) return true;
  if (!existsSync(join(page, 'dist', 'index.html')) || !existsSync(pageStamp)) return false;
  return readFileSync(pageStamp, 'utf8') === pageFingerprint();
}

/** Changes when a source or a compiler setting is edited, added, removed or replaced by an older one. */
function fingerprint() {
  return fingerprintOf(({ add, walk }) => {
    add(path('tsconfig.base.json'));
    add(path('node_modules', '.package-lock.json'));
    for (const workspace of compiledWorkspaces()) {
      add(path(workspace, 'package.json'));
      add(path(workspace, 'tsconfig.json'));
      walk(path(workspace, 'src'));
    }
  });
}

/** The page carries the protocol's rules of proofs. */
function pageFingerprint() {
  return fingerprintOf(({ add, walk }) => {
    add(path('node_modules', '.package-lock.json'));
    add(join(page, 'index.html'));
    add(join(page, 'vite.config.ts'));
    walk(join(page, 'public'));
    walk(join(page, 'src'));
    walk(path('protocol', 'src'));
  });
}

/** @param {(files: { add: (file: string) => void, walk: (folder: string) => void }) => void} name */
function fingerprintOf(name) {
  const hash = createHash('sha256');
  const add = (/** @type {string} */ file) => {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  };
  const walk = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) walk(join(folder, entry.name));
      else if (entry.isFile()) add(join(folder, entry.name));
    }
  };
  name({ add, walk });
  return hash.digest('hex');
}

async function build() {
  const node = usableNode();
  if (!node) throw new Error(whatNode());
  // Taken before the build: what is edited meanwhile is built next time.
  const sources = fingerprint();
  await step(
    'Building',
    node,
    [path('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...compiledWorkspaces()],
    'The sources above do not compile. Correct them, then run it by itself to see all: npx tsc -b',
  );
  mkdirSync(dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, sources);
}

async function buildPage() {
  const node = usableNode();
  if (!node) throw new Error(whatNode());
  const sources = pageFingerprint();
  await step(
    'Building the page',
    node,
    [path('node_modules', 'vite', 'bin', 'vite.js'), 'build', page, '--logLevel', 'warn'],
    'Correct what is said above, then run it by itself to see all: npx vite build coordinator/dashboard',
  );
  mkdirSync(dirname(pageStamp), { recursive: true });
  writeFileSync(pageStamp, sources);
}

// ---- Running a step

/** Runs a command, says how long it took, and shows what it printed only when it fails. */
async function step(
  /** @type {string} */ what,
  /** @type {string} */ command,
  /** @type {string[]} */ args,
  /** @type {string} */ advice,
) {
  const startMs = Date.now();
  const seconds = () => `${((Date.now() - startMs) / 1000).toFixed(1)} s`;
  const terminal = process.stderr.isTTY;
  if (!terminal) say(`${what} ...`);
  const ticking = terminal ? setInterval(() => process.stderr.write(`\r${what} ... ${seconds()} `), 200) : undefined;
  let output = '';
  const failure = await new Promise((resolve) => {
    // npm 10 runs install scripts: this one would download CUDA parts that Shoal does not use.
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (/** @type {Buffer} */ chunk) => {
      if (output.length < 100_000) output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `exit code ${code ?? signal}`));
  });
  clearInterval(ticking);
  if (terminal) process.stderr.write('\r\u001b[K');
  if (failure === undefined) {
    say(`${what}: done in ${seconds()}`);
    return;
  }
  const lines = output.trimEnd().split('\n');
  say(lines.slice(0, mostLinesShown).join('\n'));
  if (lines.length > mostLinesShown) say(`... and ${lines.length - mostLinesShown} more lines`);
  throw new Error(`${what.toLowerCase().replace(/ \(.*/, '')} failed (${failure}) after ${seconds()}.\n${advice}`);
}

// ---- One at a time

/** Runs the action while no other process prepares the same folder. `npm ci` empties node_modules, so the lock lies outside. */
async function alone(/** @type {() => Promise<void>} */ action) {
  const lock = path('.shoal', 'prepare.lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = false; !take(lock); waited = true) {
    const holder = holderOf(lock);
    if (holder.gone) removeLockOf(lock, holder.pid);
    else if (!waited) say(`Another command (process ${holder.pid}) is preparing this folder: waiting for it.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    await action();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(/** @type {string} */ lock) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  return true;
}

/** Who holds the lock, and whether that process is gone: killed, or before the last start of the machine. */
function holderOf(/** @type {string} */ lock) {
  let pid = 0;
  let ageMs = 0;
  try {
    ageMs = Date.now() - statSync(lock).mtimeMs;
    pid = Number(readFileSync(join(lock, 'pid'), 'utf8'));
  } catch {
    // Between the two calls of take(), or just given back. A process that died there leaves a lock without a name.
    return { pid, gone: ageMs > 10_000 };
  }
  try {
    process.kill(pid, 0);
    return { pid, gone: ageMs > longestLockMs };
  } catch (error) {
    return { pid, gone: error instanceof Error && 'code' in error && error.code === 'ESRCH' };
  }
}

/** Moves the lock away before it is removed, and puts it back when it has a new holder by now. */
function removeLockOf(/** @type {string} */ lock, /** @type {number} */ pid) {
  const away = `${lock}.${process.pid}`;
  try {
    renameSync(lock, away);
    if (holderOf(away).pid === pid) rmSync(away, { recursive: true, force: true });
    else renameSync(away, lock);
  } catch {
    // Somebody else was faster.
  }
}
