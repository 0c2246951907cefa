import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bundle, unavailable } from './packages.js';
import { debianMirrors } from './sources.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-packages-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test('mirrors are found in the one-line format', async () => {
  await writeFile(
    join(folder, 'sources.list'),
    [
      '# deb http://commented.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # ours',
      'deb-src http://source.example/debian bookworm main',
      'deb http://security.example/debian-security bookworm-security main',
      'deb http://other.example/linux/ubuntu jammy main',
    ].join('\n'),
  );
  expect(await debianMirrors(folder)).toEqual(['http://mirror.example/debian']);
});

test('mirrors are found in the deb822 format, likeliest first', async () => {
  await mkdir(join(folder, 'sources.list.d'));
  await writeFile(
    join(folder, 'sources.list.d/a.sources'),
    [
      'Types: deb',
      'URIs: http://vendor.example/apt',
      'Suites: bookworm',
      'Components: main',
      '',
      'Types: deb deb-src',
      '# a comment',
      'URIs: http://one.example/debian',
      ' http://two.example/debian/',
      'Suites: bookworm bookworm-updates',
      'Components: main',
      'Signed-By:',
      ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
      ' .',
      '',
      'Enabled: no',
      'Types: deb',
      'URIs: http://disabled.example/debian',
      'Suites: trixie',
      'Components: main',
    ].join('\n'),
  );
  await writeFile(
    join(folder, 'sources.list.d/b.list.disabled'),
    'deb http://off.example/debian trixie main\n',
  );
  expect(await debianMirrors(folder)).toEqual([
    'http://one.example/debian',
    'http://two.example/debian/',
    'http://vendor.example/apt',
  ]);
});

test('a machine without apt is told apart from one that never tried', async () => {
  vi.stubEnv('TOPO2TOPO_SERVER_CACHE', join(folder, 'cache'));
  expect(unavailable('trixie')).toBeUndefined();
  vi.stubEnv('PATH', folder);
  await expect(bundle('trixie')).rejects.toThrow('the test servers of trixie cannot be had');
  expect(unavailable('trixie')).toBeDefined();
  expect(await readdir(join(folder, 'cache'))).toEqual(['trixie.unavailable.json']);
});
