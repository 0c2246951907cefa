import { planRemoveKeyspaceCell, planRemoveShardCell, type RemoveOptions } from '../../cells/remove.js';
import { REMOVE_SERVING_ACTION } from '../../cells/remove-serving.js';
import { applyChanges, type Change } from '../../topo/changes.js';
import type { Topology } from '../../topo/topology.js';
import { accessOf, carryOut, DELETE_FLAGS, type Planned } from '../changes.js';
import type { Command } from '../command.js';
import { type Flags, shown, usage } from '../flags.js';
import type { Io } from '../io.js';
import { whileLocked } from '../locked.js';
import { ADDRESS_WORD, isGiven, needed, PLACE_FLAGS, spokenSwitch, withPlace } from '../place.js';

const FLAGS = [
  ...PLACE_FLAGS,
  ...DELETE_FLAGS,
  spokenSwitch('force', 'accept that the cell’s store does not answer: nothing is written to it'),
  spokenSwitch('recursive', 'delete the records of its tablets in the cell, too'),
];

const CELL_WORD = { name: 'cell', describe: 'the cell to take it from' };

export const cellRemoveKeyspaceCommand: Command = {
  command: 'remove-keyspace [address] [keyspace] [cell]',
  describe: 'take a keyspace from a cell; without --yes: only show it',
  words: [ADDRESS_WORD, { name: 'keyspace', describe: 'the keyspace' }, CELL_WORD],
  flags: FLAGS,
  examples: [
    ['$0 cell remove-keyspace consul://c1:8500/vitess/global commerce zone3 --yes', 'as RemoveKeyspaceCell'],
  ],
  run: (flags, io, signal) =>
    removing(flags, io, signal, 'keyspace', async (topology, keyspace, cell, options) => ({
      changes: await planRemoveKeyspaceCell(topology, keyspace, cell, options),
    })),
};

export const cellRemoveShardCommand: Command = {
  command: 'remove-shard [address] [shard] [cell]',
  describe: 'take a shard from a cell; without --yes: only show it',
  words: [ADDRESS_WORD, { name: 'shard', describe: 'KEYSPACE/SHARD' }, CELL_WORD],
  flags: FLAGS,
  examples: [
    ['$0 cell remove-shard consul://c1:8500/vitess/global orders/-80 zone3 --yes', 'as RemoveShardCell'],
  ],
  run: (flags, io, signal) =>
    removing(flags, io, signal, 'shard', async (topology, word, cell, options) => {
      const [, keyspace, shard] = /^([^/]+)\/([^/]+)$/.exec(word) ?? [];
      if (keyspace === undefined || shard === undefined)
        throw usage(`${shown(word)} is not KEYSPACE/SHARD`, 'for example orders/-80');
      const changes = await planRemoveShardCell(topology, keyspace, shard, cell, options);
      const serving = changes.filter(({ after }) => after !== undefined);
      if (serving.length === 0) return { changes };
      return {
        changes,
        reasons: serving.map(({ scope, path }) => ({ scope, path, ...LOST })),
        apply: () => applyLocked(topology, keyspace, changes, io, signal),
      };
    }),
};

/** What taking a shard from SrvKeyspace means. */
const LOST = {
  reason: 'vtgates of the cell do not find the shard any more, until a rebuild',
  needs: 'yes',
} as const;

/** SrvKeyspace is changed under the lock of its keyspace, as Vitess does. */
function applyLocked(
  topology: Topology,
  keyspace: string,
  changes: readonly Change[],
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const wish = { dir: `keyspaces/${keyspace}`, action: REMOVE_SERVING_ACTION };
  return whileLocked(topology, [wish], io, { signal }, async (held) => {
    await held.check();
    await applyChanges(topology, changes, { signal: held.signal });
  });
}

type Plan = (
  topology: Topology,
  of: string,
  cell: string,
  options: RemoveOptions,
) => Promise<Pick<Planned, 'changes' | 'reasons' | 'apply'>>;

function removing(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  what: 'keyspace' | 'shard',
  plan: Plan,
): Promise<number> {
  const [force, recursive] = [isGiven(flags, 'force'), isGiven(flags, 'recursive')];
  const place = { names: [what, 'cell'], access: accessOf(flags, true) };
  return withPlace(flags, io, signal, place, async ({ topology, words }) => {
    const [of, cell] = [needed(words, what), needed(words, 'cell')];
    const planned = await plan(topology, of, cell, { signal, force, recursive });
    return carryOut(flags, io, signal, { command: `cell remove-${what}`, topology, ...planned });
  });
}
