import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { at, npmRun, run } from './run.js';

const INSTALLED = at('node_modules/.topo2topo-installed');
const BUILT = at('.cache/built');

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Changes with the locked packages and with the Node that native ones were built for. */
const fingerprint = () =>
  createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .update(process.versions.modules)
    .digest('hex');

function isInstalled(wanted) {
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === wanted) return true;
  // npm's own record tells of an installation by hand
  const record = modified(at('node_modules/.package-lock.json'));
  return record > modified(INSTALLED) && record >= modified(at('package-lock.json'));
}

/** Lets native packages build without downloading Node's headers, where they came with this Node. */
function headers() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {};
}

/**
 * Installs the locked packages unless they are there already.
 *
 * @param say is told what takes time, before it does
 * @returns an exit code
 */
export async function install(say, options) {
  // `npm ci` would empty the folder that a link leads to, which is somebody else's
  if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return 0;
  const wanted = fingerprint();
  if (!isInstalled(wanted)) {
    say('Installing packages…');
    const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
    const code = await run('npm', ['ci', ...flags], { ...options, env: headers() });
    if (code !== 0) return code;
  }
  writeFileSync(INSTALLED, wanted);
  return 0;
}

function newest(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return Math.max(
    modified(folder),
    ...entries.map((entry) => (entry.isDirectory() ? newest : modified)(join(folder, entry.name))),
  );
}

/**
 * Compiles src into dist.
 *
 * @returns an exit code
 */
export async function build(options) {
  rmSync(BUILT, { force: true });
  rmSync(at('dist'), { recursive: true, force: true });
  const begun = new Date();
  const code = await npmRun('build', options);
  if (code !== 0) return code;
  mkdirSync(dirname(BUILT), { recursive: true });
  writeFileSync(BUILT, begun.toISOString());
  return 0;
}

/** As `build`, unless dist is younger than all that it is made of. */
export async function buildIfStale(say, options) {
  const made = existsSync(at('dist')) && existsSync(BUILT) ? Date.parse(readFileSync(BUILT, 'utf8')) : 0;
  const sources = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) =>
    modified(at(name)),
  );
  if (made > Math.max(newest(at('src')), ...sources)) return 0;
  say('Building…');
  return build(options);
}
