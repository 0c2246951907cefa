import { parseAddress } from '../../topo/address.js';
import { systemClock } from '../../topo/clock.js';
import { GLOBAL } from '../../topo/topology.js';
import type { Command } from '../command.js';
import { type SampleRecord, sampleChanges, sampleTopology } from '../demo/sample.js';
import { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { count, type Io } from '../io.js';
import { storesFor } from '../stores.js';
import { runCopy } from './copy.js';
import { treeCommand } from './tree.js';
import { runVerify } from './verify.js';

const ZOOKEEPER = 'zookeeper:demo';
const FROM = `memory://${ZOOKEEPER}/vitess/global`;
const TO = 'memory://etcd:demo/vitess/global';
const CELL_ROOT = '/vitess/{cell}';

export const demoCommand: Command = {
  command: 'demo',
  describe: 'a complete migration of a sample topology, in memory',
  examples: [['$0 demo', 'reads and writes no store and no file']],
  run: runDemo,
};

async function runDemo(_flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  const common: Flags = { output: 'text', timeout: 15, concurrency: 4 };
  const pair: Flags = { ...common, source: FROM, destination: TO };
  const copying: Flags = { ...pair, 'to-cell-root': CELL_ROOT };
  const exits: Exit[] = [];
  const chapter = async (
    title: string,
    command: string | undefined,
    work: () => Promise<number>,
    wanted: Exit = Exit.Ok,
  ) => {
    io.out(`\n${io.colors.bold(io.colors.cyan(title))}`);
    if (command !== undefined) io.out(io.colors.dim(`$ topo2topo ${command}\n`));
    const exit = await work();
    exits.push(exit === wanted ? Exit.Ok : Exit.Inconclusive);
  };

  io.out(
    'A Vitess cluster keeps its topology in ZooKeeper. It shall move to etcd. Both stores live in this process.',
  );
  await chapter(
    '1. The topology: 2 cells, 3 keyspaces, orders/-80 being split',
    `tree ${FROM} --depth 3`,
    async () => {
      await plant(sampleTopology(ZOOKEEPER));
      return treeCommand.run({ ...common, address: FROM, depth: 3 }, io, signal);
    },
  );
  await chapter('2. Copy it', `copy ${FROM} ${TO} --to-cell-root '${CELL_ROOT}'`, () =>
    runCopy(copying, io, signal, undefined),
  );
  await chapter('3. Is it the same?', `verify ${FROM} ${TO}`, () => runVerify(pair, io, signal, undefined));
  await chapter('4. Meanwhile the cluster lives on', undefined, async () => {
    const changes = sampleChanges();
    await plant(changes);
    io.out(
      `  ${count(changes.length, 'record')} changed in ZooKeeper: ${changes.map(({ scope, path }) => `${scope}:${path}`).join(', ')}`,
    );
    return Exit.Ok;
  });
  await chapter(
    '5. Now they differ, and verify says where (exit code 1)',
    `verify ${FROM} ${TO}`,
    () => runVerify(pair, io, signal, undefined),
    Exit.Different,
  );
  await chapter('6. Copy again: only what changed is written', `copy ${FROM} ${TO} --verify`, () =>
    runCopy({ ...pair, verify: true }, io, signal, undefined),
  );
  io.out(
    `\n${io.colors.green('The topology has moved.')} Try it on your own: ${io.colors.bold('npm start -- copy --help')}`,
  );
  return exits.every((exit) => exit === Exit.Ok) ? Exit.Ok : Exit.Inconclusive;
}

/** Writes records into the sample's stores, as the cluster itself would. */
async function plant(records: readonly SampleRecord[]): Promise<void> {
  const stores = storesFor(
    { clock: systemClock, random: Math.random, connectTimeoutMs: 10_000, requestTimeoutMs: 10_000 },
    'write',
  );
  for (const scope of new Set(records.map((record) => record.scope))) {
    const root = scope === GLOBAL ? FROM : FROM.replace(/global$/, scope);
    const store = await stores.open(parseAddress(root), scope);
    try {
      for (const { path, bytes } of records.filter((record) => record.scope === scope))
        await store.update(path, bytes, null);
    } finally {
      await store.close();
    }
  }
}
