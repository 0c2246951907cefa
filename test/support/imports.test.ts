import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
let project: string;

/** A project of the same shape, in which every import stands for the arrow that it draws. */
const FILES: Readonly<Record<string, string>> = {
  'src/topo/a.ts':
    "import { m } from '../backends/memory/index.js';\nimport '../verify/v.js';\nexport const a = m;",
  'src/topo/b.ts': "import type { C } from '../zookeeper/c.js';\nexport type B = C;",
  'src/topo/used.ts': 'export const used = 1;',
  'src/topo/orphan.ts': 'export const orphan = 1;',
  'src/zookeeper/c.ts': "import { used } from '../topo/used.js';\nexport type C = typeof used;",
  'src/verify/v.ts': "import { p } from '../copy/p.js';\nexport const v = p;",
  'src/copy/p.ts': "import '../cli/main.js';\nimport '../verify/v.js';\nexport const p = 1;",
  'src/cli/main.ts':
    "import { a } from '../topo/a.js';\nimport ZK from 'zookeeper';\nexport const main = [a, ZK];",
  'src/cli/dev.ts': "import { test } from 'vitest';\nimport '../../test/t.js';\nexport const dev = test;",
  'test/t.ts': "import '../src/cli/dev.js';\nexport const t = 1;",
  'src/backends/memory/index.ts': "import '../zk2/index.js';\nimport '../../copy/p.js';\nexport const m = 1;",
  'src/backends/zk2/index.ts': "import { used } from '../../topo/used.js';\nexport const z = used;",
  'src/backends/registry.ts':
    "import { z } from './zk2/index.js';\nexport const r = [z, () => import('./memory/index.js')];",
};

/** A file of the project as it is, any file of a package by the package's name. */
const packageOf = (path: string): string => /^.*node_modules\/([^/]+)/.exec(path)?.[1] ?? path;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'topo2topo-imports-'));
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    await cp(join(ROOT, name), join(project, name));
  }
  await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), `${text}\n`);
  }
});

afterAll(() => rm(project, { recursive: true, force: true }));

test('imports against the direction of the layers are refused, one by one', async () => {
  const depcruise = join(project, 'node_modules/.bin/depcruise');
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'];
  const answer: { code?: number; stdout: string } = await run(depcruise, args, { cwd: project }).catch(
    (error: { code: number; stdout: string }) => error,
  );
  const report: { summary: { violations: { rule: { name: string }; from: string; to: string }[] } } =
    JSON.parse(answer.stdout);
  const found = report.summary.violations
    .filter(({ rule }) => rule.name !== 'no-circular')
    .map(({ rule, from, to }) => `${rule.name}: ${from} → ${packageOf(to)}`);
  expect(found.sort()).toEqual([
    'backends-import-topo: src/backends/memory/index.ts → src/backends/zk2/index.ts',
    'backends-import-topo: src/backends/memory/index.ts → src/copy/p.ts',
    'cli-is-the-top: src/copy/p.ts → src/cli/main.ts',
    'copy-imports: src/copy/p.ts → src/cli/main.ts',
    'declared-packages-only: src/cli/dev.ts → vitest',
    'native-addon-loads-lazily: src/cli/main.ts → zookeeper',
    'no-orphans: src/topo/orphan.ts → src/topo/orphan.ts',
    'nobody-imports-a-backend: src/topo/a.ts → src/backends/memory/index.ts',
    'product-without-tests: src/cli/dev.ts → test/t.ts',
    'registry-loads-lazily: src/backends/registry.ts → src/backends/zk2/index.ts',
    'topo-imports: src/topo/a.ts → src/backends/memory/index.ts',
    'topo-imports: src/topo/a.ts → src/verify/v.ts',
    'topo-imports: src/topo/b.ts → src/zookeeper/c.ts',
    'verify-imports: src/verify/v.ts → src/copy/p.ts',
    'zookeeper-imports: src/zookeeper/c.ts → src/topo/used.ts',
  ]);
  expect(report.summary.violations.some(({ rule }) => rule.name === 'no-circular')).toBe(true);
});
