import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readlink, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const STEP_LIMIT_MS = 300_000;
const KEYRINGS = ['gpg', 'pgp'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Runs a command; its error says what the command itself said last. */
async function command(file: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    const { stdout } = await run(file, args, { cwd, env, timeout: STEP_LIMIT_MS, maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const reason = said.trim().split('\n').slice(-4).join('; ') || String(error);
    throw new Error(`${file} ${args.at(-1) ?? ''}: ${reason}`, { cause: error });
  }
}

/** Where one suite of Debian comes from and which of its packages are wanted. */
export interface AptRequest {
  readonly mirror: string;
  readonly suite: string;
  readonly packages: readonly string[];
}

/**
 * Downloads packages with an apt of its own settings, lists and caches, all kept below `work`: the machine's are
 * neither read nor changed. apt checks the archive's signature and each package's hash.
 *
 * @returns the paths of the .deb files
 */
async function download(work: string, request: AptRequest): Promise<string[]> {
  const debs = join(work, 'debs');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'debs']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  const present = await Promise.all(KEYRINGS.map(exists));
  const keyring = KEYRINGS.find((_, index) => present[index]);
  const options = ['target=Packages', ...(keyring === undefined ? [] : [`signed-by=${keyring}`])];
  await writeFile(join(work, 'status'), '');
  await writeFile(
    join(work, 'sources.list'),
    `deb [${options.join(' ')}] ${request.mirror} ${request.suite} main\n`,
  );
  // The machine's own settings stay in force for what they say of proxies; its hooks would clean its caches.
  await writeFile(
    join(work, 'apt.conf'),
    [
      '#clear APT::Update::Pre-Invoke;',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      `Dir::State "${work}/state/";`,
      `Dir::State::lists "lists/";`,
      `Dir::State::status "${work}/status";`,
      `Dir::Cache "${work}/cache/";`,
      `Dir::Etc::sourcelist "${work}/sources.list";`,
      'Dir::Etc::sourceparts "/dev/null";',
      'Dir::Etc::preferences "/dev/null";',
      'Dir::Etc::preferencesparts "/dev/null";',
      // root's apt would otherwise download as a user who may not enter this folder
      'APT::Sandbox::User "root";',
      'APT::Update::Error-Mode "any";',
      'Acquire::Languages "none";',
      'Acquire::Retries "2";',
      'Acquire::http::Timeout "20";',
      'Acquire::https::Timeout "20";',
      '',
    ].join('\n'),
  );
  const apt = ['-q', '-c', join(work, 'apt.conf')];
  await command('apt-get', [...apt, 'update'], work);
  await command('apt-get', [...apt, 'download', ...request.packages], debs);
  return (await readdir(debs)).filter((name) => name.endsWith('.deb')).map((name) => join(debs, name));
}

/** Debian links to absolute paths, which mean the machine's own files unless they are turned towards `root`. */
async function relink(root: string, folder = root): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await relink(root, path);
    if (!entry.isSymbolicLink()) continue;
    const target = await readlink(path);
    const inside = join(root, target);
    if (!target.startsWith('/') || !(await lstat(inside).catch(() => undefined))) continue;
    await unlink(path);
    await symlink(relative(dirname(path), inside), path);
  }
}

/**
 * Downloads packages and unpacks them, without installing anything, below `root`; `work` is a scratch folder.
 *
 * @returns the version of each package, as Debian writes it
 * @throws Error with apt's own words when the suite or a package cannot be had
 */
export async function unpack(
  work: string,
  root: string,
  request: AptRequest,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  await mkdir(root, { recursive: true });
  await mkdir(work, { recursive: true });
  for (const deb of await download(work, request)) {
    await command('dpkg', ['-x', deb, root], work);
    const fields = await command('dpkg-deb', ['-f', deb, 'Package', 'Version'], work);
    const name = /^Package: (\S+)/m.exec(fields)?.[1] ?? deb;
    versions[name] = /^Version: (\S+)/m.exec(fields)?.[1] ?? '';
  }
  await relink(root);
  await rm(work, { recursive: true, force: true });
  return versions;
}
