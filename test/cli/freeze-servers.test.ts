import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { eventually } from '../conformance/tools.js';
import { cli, cliJson } from '../support/cli.js';
import { isNightly } from '../support/nightly.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { withStore } from '../support/topologies.js';

const TOOL = fileURLToPath(new URL('../cli/tool-process.ts', import.meta.url));
const SCOPES = ['global', 'zone1', 'zone2'];
const LIMIT_MS = 150_000;
/** The longest that a store keeps the locks of a dead process, as the tool asks here, and some. */
const PATIENCE_MS = 60_000;

const started: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

describe.each(PRODUCTS.filter((product) => product.available))('a freeze of $name', (product) => {
  let server: Server;
  beforeAll(async () => {
    server = await product.start();
  }, LIMIT_MS);
  afterAll(() => server?.stop());

  /** A topology under a root of its own. */
  async function topology() {
    const folder = `freeze-${randomUUID()}`;
    const address = (scope: string) => addressOn(product, server, `${folder}/${scope}`);
    for (const scope of SCOPES)
      await withStore(address(scope), async (store) => {
        for (const { path, bytes } of sampleTopology('unused').filter((each) => each.scope === scope))
          await store.create(path, bytes);
      });
    const cells = (flag: string) =>
      SCOPES.slice(1).flatMap((cell) => [
        flag,
        `${cell}=${server.servers},${product.root(`${folder}/${cell}`)}`,
      ]);
    const to = `memory://etcd:${folder}/vitess/global`;
    return {
      address,
      to,
      pair: [address('global'), to, ...cells('--from-cell'), '--to-cell-root', '/vitess/{cell}'],
      alone: [address('global'), ...cells('--cell-address')],
    };
  }

  const lockedIn = async (address: string) =>
    (await cli(['locks', 'list', address])).out
      .split('\n')
      .filter((line) => line.includes('topo2topo freeze'));

  test(
    'copies, locks, certifies, keeps the locks as long as is wished, and gives them back',
    async () => {
      const { address, pair } = await topology();
      const abort = new AbortController();
      let outputs = 0;
      let whileHeld: string[] = [];
      const look = async () => {
        whileHeld = await lockedIn(address('global'));
        await withStore(address('global'), (store) =>
          expect(store.tryLock('keyspaces/commerce', 'x')).rejects.toMatchObject({ code: 'NodeExists' }),
        );
      };
      // The plan, what was written, what is certified, the comparison: then the locks are only kept.
      const onOut = () => {
        outputs += 1;
        if (outputs === 4) look().finally(() => abort.abort());
      };
      const args = ['copy', ...pair, '--freeze', '--freeze-hold', '10m'];
      const { code, out, err } = await cli(args, {}, { signal: abort.signal, onOut });
      expect(code).toBe(0);
      expect(whileHeld).toHaveLength(11);
      expect(out).toMatch(/frozen for .* under 11 locks: 0 records copied; no record of the source moved/);
      expect(out.includes('not quiesced')).toBe(!product.seals);
      expect(out).toContain('quiesced');
      expect(err).toMatch(
        /not frozen: taking all locks\n(frozen .* of 30 s: sealing\n)+frozen .* of 30 s: copying/,
      );
      expect(await lockedIn(address('global'))).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'certifies nothing while somebody writes who ignores locks, and leaves none',
    async () => {
      const { address, pair } = await topology();
      let over = false;
      const frozen = cli(['copy', ...pair, '--freeze', '--freeze-seal', 'never']).finally(() => {
        over = true;
      });
      await withStore(address('global'), async (store) => {
        for (let i = 0; !over; i++) await store.update('metadata/owner', Buffer.from(String(i)), null);
      });
      expect(await frozen).toMatchObject({
        code: 4,
        err: expect.stringMatching(
          /somebody wrote to the source while it was locked.*global:metadata\/owner/,
        ),
      });
      expect(await lockedIn(address('global'))).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'for programs: what it locked, how long, and that both sides are equal',
    async () => {
      const { pair } = await topology();
      expect(await cliJson(['copy', ...pair, '--freeze'])).toMatchObject({
        command: 'copy',
        freeze: {
          equal: true,
          quiesced: product.seals,
          sealed: [],
          tries: 1,
          written: 0,
          waiting: [],
          left: [],
        },
        verification: { equal: true, differences: [] },
      });
    },
    LIMIT_MS,
  );

  test.runIf(product.implementation === 'zk2')(
    'of a source that somebody left sealed says whose seal it is, and what takes it off',
    async () => {
      const { address, pair, alone } = await topology();
      expect(await cli(['seal', ...alone])).toMatchObject({ code: 0 });
      expect(await cli(['copy', ...pair, '--freeze'])).toMatchObject({
        code: 3,
        err: expect.stringMatching(/sealed already, by .*\[NodeExists\]\n.*topo2topo unseal/),
      });
      expect(await cli(['unseal', ...alone])).toMatchObject({ code: 0 });
      expect(await lockedIn(address('global'))).toEqual([]);
    },
    LIMIT_MS,
  );

  test.runIf(product.implementation === 'zk2')(
    'gives locks and seal back when the terminal goes away',
    async () => {
      const { address, pair } = await topology();
      const args = ['copy', ...pair, '--freeze', '--freeze-hold', '10m'];
      const child = spawn(process.execPath, ['--import', 'tsx', TOOL, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      started.push(child);
      const ended = new Promise((resolve) => child.on('close', (...how) => resolve(how)));
      await new Promise<void>((resolve, reject) => {
        void ended.then(() => reject(new Error('it ended before it held')));
        child.stderr.on('data', (chunk: Buffer) => {
          if (chunk.toString().includes(': holding')) resolve();
        });
      });
      expect(await lockedIn(address('global'))).toHaveLength(11);
      child.stdout.destroy();
      child.stderr.destroy();
      child.kill('SIGHUP');
      expect(await ended).toEqual([0, null]);
      expect((await cli(['locks', 'list', address('global')])).out).toContain('no locks');
      await withStore(address('zone1'), (store) => store.update('SrvVSchema', new Uint8Array(), null));
    },
    LIMIT_MS,
  );

  // Half a minute for each product: locks that go by themselves take their time. What makes them go is part of the contract.
  test.runIf(isNightly || product.implementation === 'zk2')(
    'killed at any step it leaves locks that are shown, and go by themselves, and a seal that can be taken off',
    async () => {
      await Promise.all(['sealing', 'copying', 'verifying', 'checking', 'holding'].map(killedAt));
    },
    LIMIT_MS,
  );

  async function killedAt(step: string): Promise<void> {
    const { address, pair, alone } = await topology();
    const flags = product.implementation === 'etcd2' ? ['--from-topo-etcd-lease-ttl', '15'] : [];
    const args = ['copy', ...pair, ...flags, '--freeze', '--freeze-hold', '10m'];
    const child = spawn(process.execPath, ['--import', 'tsx', TOOL, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    started.push(child);
    let said = '';
    const ended = new Promise((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve, reject) => {
      void ended.then(() => reject(new Error(`it ended before ${step}: ${said}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(`: ${step}`)) resolve();
      });
    });
    child.kill('SIGKILL');
    await ended;
    expect(await lockedIn(address('global')), step).toHaveLength(11);
    await eventually(
      'the locks are gone',
      async () => expect(await lockedIn(address('global'))).toEqual([]),
      PATIENCE_MS,
    );
    if (product.implementation === 'zk2')
      expect((await cli(['locks', 'list', address('global')])).out).toContain('11 orphans');
    const unsealed = await cli(['unseal', ...alone]);
    expect(unsealed.code, unsealed.out + unsealed.err).toBe(0);
    // Killed while it seals it may have sealed any of them, or none.
    const told = product.seals
      ? step === 'sealing'
        ? /^unsealed |was not sealed$/gm
        : /^unsealed /gm
      : /cannot be sealed/g;
    expect(unsealed.out.match(told), unsealed.out).toHaveLength(3);
    if (product.implementation === 'zk2') {
      const cleared = await cli(['locks', 'break', address('global'), '--left-over', '--yes']);
      expect(cleared.code, cleared.err).toBe(0);
    }
    expect((await cli(['locks', 'list', address('global')])).code, step).toBe(0);
    await withStore(address('zone1'), (store) => store.update('SrvVSchema', new Uint8Array(), null));
  }
});
