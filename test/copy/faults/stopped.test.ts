import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withJournalLock } from '../../../src/copy/journal-lock.js';
import { systemClock } from '../../../src/topo/clock.js';
import { cli } from '../../support/cli.js';
import { PRODUCTS, type Server } from '../../support/products.js';
import { contents } from '../../support/topologies.js';
import { until } from '../../support/until.js';
import { equal, type Places, plantSample } from '../followers.js';
import { newPlaces } from './places.js';

const TOOL = fileURLToPath(new URL('../../cli/tool-process.ts', import.meta.url));
const SCOPES = ['global', 'zone1', 'zone2'];
const LIMIT_MS = 120_000;
/** A clock by which a stopped process has been silent for long. */
const HASTY = {
  now: () => Date.now() * 100,
  schedule: (ms: number, callback: () => void) => systemClock.schedule(ms / 100, callback),
};

const products = ['zk2', 'etcd2'].map((name) =>
  PRODUCTS.find(({ implementation }) => implementation === name),
);
const isAvailable = products.every((product) => product?.available === true);
let servers: Server[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  if (isAvailable) servers = await Promise.all(products.flatMap((product) => product?.start() ?? []));
}, LIMIT_MS);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** Paths that the destination has and the journal says nothing of. */
async function unnoted({ destination }: Places, noted: string): Promise<string[]> {
  const held = await Promise.all(SCOPES.map((scope) => contents(destination(scope))));
  return held.flatMap((each) => [...each.keys()]).filter((path) => !noted.includes(JSON.stringify(path)));
}

test.runIf(isAvailable)(
  'a copy that was stopped, and whose journal another one took over, notes and writes nothing more when it wakes',
  { timeout: LIMIT_MS },
  async () => {
    const [a, b] = servers;
    if (a === undefined || b === undefined) throw new Error('no servers');
    const places = newPlaces(
      { implementation: 'zk2', servers: a.servers },
      { implementation: 'etcd2', servers: b.servers },
    );
    await plantSample(places);
    const journal = join(folder, 'copy.journal');
    const args = [
      ...['copy', places.source('global'), places.destination('global'), '--to-cell-root', places.cellRoot],
      ...['--journal', journal],
    ];
    const noted = async () => (existsSync(journal) ? await readFile(journal, 'utf8') : '');
    const child = spawn(process.execPath, ['--import', 'tsx', TOOL, ...args, '--rate', '1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    try {
      const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
      await until('the first write', async () => (await noted()).includes('"writing"'), 60_000);
      child.kill('SIGSTOP');
      await withJournalLock(journal, { clock: HASTY }, async () => {
        const before = await noted();
        child.kill('SIGCONT');
        expect(await ended, err).toBe(5);
        expect(err).toContain(
          `the journal ${journal} was taken over by process ${process.pid} on ${hostname()}, since `,
        );
        expect(err).toMatch(/\[LockLost\](.|\n)*run it again with --resume/);
        expect(await noted()).toBe(before);
        expect(await unnoted(places, before)).toEqual([]);
      });
    } finally {
      child.kill('SIGKILL');
    }
    expect((await cli([...args, '--resume'])).code).toBe(0);
    expect(await equal(places)).toBe(true);
  },
);
