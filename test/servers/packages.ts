import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unpack } from './apt.js';
import { debianMirrors } from './sources.js';

/** What ZooKeeper's jars need on their class path, from the same suite. */
const ZOOKEEPER = [
  'zookeeper',
  'libzookeeper-java',
  'libslf4j-java',
  'libsnappy-java',
  'libdropwizard-metrics-java',
  'liblog4j1.2-java',
  'libcommons-cli-java',
  'libcommons-io-java',
  'libnetty-java',
  'libjackson2-core-java',
  'libjackson2-databind-java',
  'libjackson2-annotations-java',
];
const ETCD = ['etcd-server', 'etcd-client'];

/** What is fetched together, by name. */
export const BUNDLES = {
  bullseye: { suite: 'bullseye', packages: [...ZOOKEEPER, ...ETCD, 'consul'] },
  bookworm: { suite: 'bookworm', packages: [...ZOOKEEPER, ...ETCD] },
  trixie: { suite: 'trixie', packages: [...ZOOKEEPER, ...ETCD] },
  java: { suite: 'bookworm', packages: ['openjdk-17-jre-headless'] },
} as const satisfies Record<string, { suite: string; packages: readonly string[] }>;

export type BundleName = keyof typeof BUNDLES;

/** An unpacked bundle: where its file tree begins, and the Debian version of each package in it. */
export interface Bundle {
  readonly root: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** The folder that keeps what was fetched; another may be named in TOPO2TOPO_SERVER_CACHE. */
export const cacheFolder = (): string =>
  resolve(process.env['TOPO2TOPO_SERVER_CACHE'] ?? join(import.meta.dirname, '../../.cache/servers'));

const MANIFEST = 'manifest.json';
const OWNER = 'pid';
const LOCK_LIMIT_MS = 900_000;
const NAMELESS_LIMIT_MS = 5_000;

/** A changed list of packages makes another folder, so that a bundle in use is never altered. */
function folderOf(name: BundleName): string {
  const recipe = createHash('sha256').update(JSON.stringify(BUNDLES[name])).digest('hex').slice(0, 10);
  return join(cacheFolder(), `${name}-${recipe}`);
}

const markerOf = (name: BundleName): string => join(cacheFolder(), `${name}.unavailable.json`);

function parse(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Why the last attempt to fetch the bundle failed, or undefined when it is there or was never tried. */
export function unavailable(name: BundleName): string | undefined {
  if (existsSync(join(folderOf(name), MANIFEST)) || !existsSync(markerOf(name))) return undefined;
  return String(parse(readFileSync(markerOf(name), 'utf8'))['reason']);
}

/** Forgets that the bundle could not be fetched: it is not needed any more. */
export const forgetFailure = (name: BundleName): Promise<void> => rm(markerOf(name), { force: true });

async function installed(name: BundleName): Promise<Bundle | undefined> {
  const folder = folderOf(name);
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const versions = Object.fromEntries(
    Object.entries(parse(text)).map(([key, value]) => [key, String(value)]),
  );
  return { root: join(folder, 'root'), versions };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a lock's holder is dead, or died before it wrote its name. */
async function abandoned(lock: string): Promise<boolean> {
  const pid = Number(await readFile(join(lock, OWNER), 'utf8').catch(() => '0'));
  if (pid > 0) return !alive(pid);
  const age = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  return age > NAMELESS_LIMIT_MS;
}

/**
 * Takes a folder as a lock, waiting for its holder; that of a dead process is broken. The lock saves a second
 * download and no more: two holders would each build a folder of their own, and the first to rename it wins.
 */
async function locked<T>(lock: string, task: () => Promise<T>): Promise<T> {
  const limit = Date.now() + LOCK_LIMIT_MS;
  for (;;) {
    const taken = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (taken || Date.now() > limit) break;
    if (await abandoned(lock)) await rm(lock, { recursive: true, force: true });
    else await sleep(200);
  }
  try {
    await writeFile(join(lock, OWNER), String(process.pid));
    return await task();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** Removes the scratch folders of fetches that were interrupted. */
async function sweep(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = /^tmp-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !alive(Number(pid)))
      await rm(join(cache, name), { recursive: true, force: true });
  }
}

async function build(name: BundleName, log: (line: string) => void): Promise<void> {
  const { suite, packages } = BUNDLES[name];
  const mirrors = await debianMirrors();
  if (mirrors.length === 0)
    throw new Error("no mirror of Debian's main archive in this machine's apt sources");
  const failures: string[] = [];
  for (const mirror of mirrors) {
    const scratch = join(cacheFolder(), `tmp-${process.pid}-${randomUUID()}`);
    try {
      log(`fetching ${packages.length} packages of ${suite} (${name})`);
      const versions = await unpack(join(scratch, 'work'), join(scratch, 'root'), {
        mirror,
        suite,
        packages,
      });
      await writeFile(join(scratch, MANIFEST), `${JSON.stringify(versions, null, 2)}\n`);
      await rename(scratch, folderOf(name)).catch(async (error: unknown) => {
        if ((await installed(name)) === undefined) throw error;
      });
      return;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  throw new Error(failures.join(' | '));
}

/**
 * The bundle, fetched from Debian's archive when it is not here yet. Nothing is installed; any number of
 * processes may ask at once; an interrupted fetch leaves nothing that counts.
 *
 * @throws Error when it cannot be had; the reason is kept for `unavailable`
 */
export async function bundle(name: BundleName, log: (line: string) => void = () => {}): Promise<Bundle> {
  const found = await installed(name);
  if (found !== undefined) return found;
  const cache = cacheFolder();
  await mkdir(cache, { recursive: true });
  return locked(`${folderOf(name)}.lock`, async () => {
    await sweep(cache);
    try {
      if ((await installed(name)) === undefined) await build(name, log);
      const made = await installed(name);
      if (made === undefined) throw new Error('the bundle vanished while it was fetched');
      await forgetFailure(name);
      return made;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await writeFile(markerOf(name), `${JSON.stringify({ bundle: name, reason }, null, 2)}\n`);
      throw new Error(`the test servers of ${name} cannot be had: ${reason}`, { cause: error });
    }
  });
}
