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
      test: { include: ['*.case.ts'], reporters: [new CountsReporter(process.env.TOPO2TOPO_TEST_COUNTS)] },
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
  'unsteady.case.ts': `import { existsSync, writeFileSync } from 'node:fs';
    import { test } from 'vitest';
    test('fails at first', () => {
      if (existsSync('seen')) return;
      writeFileSync('seen', '');
      throw new Error('once, on purpose');
    });`,
  'run.js': `import { testAndReport } from './scripts/lib/tests.js';
    const [once, ...files] = process.argv.slice(2);
    await testAndReport([], files, { once: once === 'once' });`,
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
    await writeFile(join(project, name), text);
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
    const counts = join(project, 'counts');
    const env = { ...process.env, TOPO2TOPO_TEST_COUNTS: counts };
    await run(vitest, ['run', ...files], { cwd: project, env }).catch(() => undefined);
    return JSON.parse(await readFile(counts, 'utf8'));
  };

  test('tell passed cases from those that were skipped or only planned', async () => {
    expect(await count('good')).toEqual({ passed: 1, failed: 0, skipped: 2, failures: [] });
  });

  test('take a broken hook, a broken file and an error outside of any case for failures', async () => {
    const counts = await count('bad', 'broken');
    expect(counts).toMatchObject({ passed: 1, failed: 4, skipped: 1 });
    const failure = (file: string, name: string, error: string) => ({
      file: `${file}.case.ts`,
      name,
      error: expect.stringContaining(error),
    });
    expect(counts).toHaveProperty(
      'failures',
      expect.arrayContaining([
        failure('bad', 'fails', 'on purpose'),
        failure('bad', 'under a broken hook', 'hook, on purpose'),
        failure('broken', 'the file itself', './absent.js'),
      ]),
    );
  });
});

describe('a second try', () => {
  const lines = async (how: 'once' | 'twice', ...files: string[]): Promise<readonly [number, string[]]> => {
    await rm(join(project, 'seen'), { force: true });
    const args = [join(project, 'run.js'), how, ...files];
    const ended = await run(process.execPath, args).catch((error: Ended) => error);
    return ['code' in ended ? (ended.code ?? 0) : 0, ended.stdout.trimEnd().split('\n')];
  };

  test('lets the run pass, and tells loudly what failed at first and how', async () => {
    const [code, told] = await lines('twice', 'unsteady', 'good');
    expect(code).toBe(0);
    expect(told.slice(-5, -2)).toEqual([
      expect.stringContaining('FAILED AT FIRST, PASSED ALONE'),
      '!! unsteady.case.ts: fails at first',
      '   once, on purpose',
    ]);
    expect(told.at(-1)).toBe('2 passed, 0 failed, 2 skipped');
  });

  test('is not given by the nightly run', async () => {
    const [code, told] = await lines('once', 'unsteady');
    expect([code, told.at(-1)]).toEqual([1, '0 passed, 1 failed']);
  });

  test('changes nothing when it fails too', async () => {
    const [code, told] = await lines('twice', 'broken', 'good');
    expect([code, told.at(-1)]).toEqual([1, '1 passed, 1 failed, 2 skipped']);
  });

  test('is not given to an error outside of any case', async () => {
    const [code, told] = await lines('twice', 'bad');
    expect([code, told.at(-1)]).toEqual([1, '1 passed, 3 failed, 1 skipped']);
    expect(told.join('\n')).not.toContain('Once more');
  });
});
