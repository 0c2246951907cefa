import { backupFacts, backupTitle, checkBackup } from '../../copy/backup/record.js';
import { parseAddress } from '../../topo/address.js';
import { systemClock } from '../../topo/clock.js';
import { readCellInfo } from '../../topo/codec.js';
import type { Topology } from '../../topo/topology.js';
import { givenAddress } from '../addresses.js';
import { fileOf, withTopologyFile } from '../backing-up.js';
import type { Command } from '../command.js';
import { COPY_FLAGS } from '../copy-flags.js';
import { type Flags, text, texts, usage } from '../flags.js';
import type { Io } from '../io.js';
import { spokenSwitch } from '../place.js';
import { runCopy } from './copy.js';

/** Flags of a copy that mean nothing here: a restore is always verified. */
const NOT_HERE = new Set(['verify', 'plan', 'from-cell']);

export const restoreCommand: Command = {
  command: 'restore [source] [destination]',
  describe: 'copy a backup into a store, and compare; planned and guarded as every copy is',
  words: [
    { name: 'source', describe: 'file:NAME of the backup (or --from)' },
    { name: 'destination', describe: 'address of the topology to restore (or --to)' },
  ],
  flags: [
    ...COPY_FLAGS.filter(({ name }) => !NOT_HERE.has(name)),
    spokenSwitch('recorded-cells', 'put the cells where the backup’s own CellInfo has them'),
  ],
  examples: [
    [
      '$0 restore file:./monday.topo etcd2://etcd1:2379/vitess/global --recorded-cells --dry-run',
      'what it would write into the store that was backed up',
    ],
    [
      '$0 restore file:./monday.topo zk2://new:2181/vitess/global --to-cell-root "/vitess/{cell}"',
      'into another one',
    ],
    [
      '$0 restore --config topo2topo.yaml --from file:./monday.topo --keyspace commerce --allow-extra',
      'one keyspace, beside what is there',
    ],
  ],
  async run(flags, io, signal) {
    const { server } = fileOf(flags, 'from', 'a restore begins with the file of a backup');
    const asText = flags['output'] !== 'json';
    const { given, facts, origin } = await withTopologyFile(server, flags, io, signal, async (backup) => {
      const record = await checkBackup(backup, { signal });
      if (asText) io.out(backupTitle(backup, record));
      const recorded = flags['recorded-cells'] === true;
      return {
        given: recorded ? await recordedCells(flags, backup, record.from, signal) : flags,
        facts: backupFacts(backup, record, systemClock.now()),
        origin: parseAddress(record.from).implementation,
      };
    });
    const isWhole = ['cells', 'kinds', 'keyspace'].every((name) => flags[name] === undefined);
    const verifies = isWhole && flags['dry-run'] !== true;
    const { implementation } = givenAddress(flags, 'to', text(flags, 'destination'));
    const notes = isRetired(origin) && !isRetired(implementation) ? [withoutFlags(origin)] : [];
    const also = { command: 'restore', backup: facts, ...(notes.length === 0 ? {} : { notes }) };
    const exit = await runCopy({ ...given, verify: verifies }, io, signal, undefined, also);
    if (asText && !isWhole) partNote(io);
    if (asText) for (const note of notes) io.err(note);
    return exit;
  },
};

function isRetired(implementation: string): boolean {
  return implementation === 'zookeeper' || implementation === 'etcd';
}

/** A backup has shards as its store had them, and no copy of a file knows the serving graph that they were told by. */
function withoutFlags(origin: string): string {
  return `this backup is of a ${origin} store, whose shards have no is_primary_serving, and Vitess 12 and newer takes them for not serving: set it before anything rebuilds the serving graph (topo2topo lint names the shards), or copy from the store itself, which derives it`;
}

function partNote(io: Io): void {
  io.out(
    `only a part was restored, so the whole was not compared: ${io.colors.bold('topo2topo verify')} does`,
  );
}

/** Flags that say of every cell in a backup what its CellInfo says, unless they say something else. Usage. */
async function recordedCells(
  flags: Flags,
  backup: Topology,
  from: string,
  signal: AbortSignal,
): Promise<Flags> {
  if (flags['to-cell-root'] !== undefined)
    throw usage('--recorded-cells and --to-cell-root exclude one another', 'give one of them');
  const { implementation } = givenAddress(flags, 'to', text(flags, 'destination'));
  const origin = parseAddress(from).implementation;
  if (implementation !== origin)
    throw usage(
      `the CellInfo of this backup has addresses of ${origin}, and the destination is ${implementation}`,
      'say where the cells go with --to-cell-root or --to-cell',
    );
  const given = texts(flags, 'to-cell');
  const named = new Set(given.map((value) => value.split('=')[0]));
  const recorded: string[] = [];
  for (const { name } of await backup.cells({ signal })) {
    if (named.has(name)) continue;
    const { bytes } = await backup.global.get(`cells/${name}/CellInfo`, { signal });
    const { serverAddress, root } = readCellInfo(bytes);
    recorded.push(`${name}=${serverAddress},${root}`);
  }
  return { ...flags, 'to-cell': [...given, ...recorded] };
}
