import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const COPIED = [
  'scripts',
  'bin',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
let project: string;

/** A small project with the same scripts, whose tool tells what reached it. */
const FILES: Readonly<Record<string, string>> = {
  'src/cli/main.ts': `export async function main(): Promise<void> {
    process.exitCode = 7;
    if (process.argv.includes('wait')) {
      const timer = setInterval(() => {}, 1000);
      process.on('SIGINT', () => {
        process.exitCode = 9;
        clearInterval(timer);
      });
    }
    console.log(JSON.stringify(process.argv.slice(2)));
  }`,
  'vitest.config.ts': `import { CountsReporter } from '${ROOT}/test/support/counts.js';
    export default {
      test: { include: ['*.case.ts'], reporters: [new CountsReporter('COUNTS')] },
    };`,
  'good.case.ts': `import { test } from 'vitest';
    test('passes', () => {});
    test.skip('is skipped', () => {});
    test.todo('is planned');`,
  'bad.case.ts': `import { beforeAll, describe, test } from 'vitest';
    test('fails', () => { throw new Error('on purpose'); });
    test('leaves an error behind', async () => {
      setTimeout(() => { throw new Error('late, on purpose'); }, 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    describe('under a broken hook', () => {
      beforeAll(() => { throw new Error('hook, on purpose'); });
      test('is not run', () => {});
    });`,
  'broken.case.ts': "import './absent.js';",
};

/** Links each package by itself: `npm ci` empties the folder, and would empty the real one through a link to it. */
async function linkPackages(folder: string): Promise<void> {
  await mkdir(folder);
  const names = await readdir(join(ROOT, 'node_modules'));
  const packages = names.filter((name) => name === '.bin' || !name.startsWith('.'));
  await Promise.all(packages.map((name) => symlink(join(ROOT, 'node_modules', name), join(folder, name))));
  await writeFile(join(folder, '.package-lock.json'), '{}');
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'topo2topo-scripts-'));
  await Promise.all(COPIED.map((name) => cp(join(ROOT, name), join(project, name), { recursive: true })));
  await linkPackages(join(project, 'node_modules'));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), text.replace('COUNTS', join(project, 'counts')));
  }
});

afterAll(() => rm(project, { recursive: true, force: true }));

interface Ended {
  readonly code?: number;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (...args: string[]): Promise<Ended> =>
  run(process.execPath, [join(project, 'scripts/start.js'), ...args]).catch((error: Ended) => error);

describe('npm start', () => {
  test('builds what is not built, once, and keeps standard output for the tool', async () => {
    const first = await start('x');
    expect(first.stdout).toBe('["x"]\n');
    expect(first.stderr).toBe('Building…\n');
    expect((await start('x')).stderr).toBe('');
  });

  test('hands arguments and the exit code through unchanged', async () => {
    const args = ['-from_implementation', 'zk2', '--x=a b', '', '*', 'q\'uo"te'];
    const ended = await start(...args);
    expect(JSON.parse(ended.stdout)).toEqual(args);
    expect(ended.code).toBe(7);
  });

  test('runs the demo when nothing is asked', async () => {
    expect((await start()).stdout).toBe('["demo"]\n');
  });

  test('hands an interrupt to the tool and waits for it to end', async () => {
    const child = spawn(process.execPath, [join(project, 'scripts/start.js'), 'wait'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([9, null]);
  });
});

describe('the counts of the closing line', () => {
  const count = async (...files: string[]): Promise<unknown> => {
    const vitest = join(project, 'node_modules/.bin/vitest');
    await run(vitest, ['run', ...files], { cwd: project }).catch(() => undefined);
    return JSON.parse(await readFile(join(project, 'counts'), 'utf8'));
  };

  test('tell passed cases from those that were skipped or only planned', async () => {
    expect(await count('good')).toEqual({ passed: 1, failed: 0, skipped: 2 });
  });

  test('take a broken hook, a broken file and an error outside of any case for failures', async () => {
    expect(await count('bad', 'broken')).toEqual({ passed: 1, failed: 4, skipped: 1 });
  });
});
