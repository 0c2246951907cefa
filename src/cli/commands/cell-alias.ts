import { planAddCellsAlias, planDeleteCellsAlias, planUpdateCellsAlias } from '../../cells/aliases.js';
import { getCellsAliases } from '../../cells/read.js';
import type { Change } from '../../topo/changes.js';
import type { CallOptions } from '../../topo/connection.js';
import type { Topology } from '../../topo/topology.js';
import { accessOf, carryOut, DELETE_FLAGS } from '../changes.js';
import { type Command, textFlag } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, shown, text, usage } from '../flags.js';
import { type Io, json, table } from '../io.js';
import { printable } from '../lists.js';
import { ADDRESS_WORD, listed, needed, PLACE_FLAGS, withPlace } from '../place.js';

export const cellAliasCommand: Command = {
  command: 'alias [action] [address] [alias]',
  describe: 'names for several cells: list, add, update, remove',
  words: [
    { name: 'action', describe: 'list, add, update or remove' },
    ADDRESS_WORD,
    { name: 'alias', describe: 'name of the alias' },
  ],
  flags: [
    ...PLACE_FLAGS,
    ...DELETE_FLAGS,
    textFlag('cells', 'the cells of the alias: zone1,zone2', { spoken: true }),
  ],
  examples: [
    ['$0 cell alias list etcd2://etcd1:2379/vitess/global', 'every alias, as GetCellsAliases'],
    ['$0 cell alias add etcd2://etcd1:2379/vitess/global east --cells zone1,zone2', 'as AddCellsAlias'],
    ['$0 cell alias remove etcd2://etcd1:2379/vitess/global east --yes', 'as DeleteCellsAlias'],
  ],
  run(flags, io, signal) {
    const action = text(flags, 'action') ?? '';
    if (action === 'list') return list(flags, io, signal);
    const plan = new Map(Object.entries(PLANS)).get(action);
    if (plan === undefined)
      throw usage(
        action === '' ? 'cell alias what?' : `cell alias ${shown(action)} is unknown`,
        'there are list, add, update and remove',
      );
    const place = { names: ['alias'], access: accessOf(flags, action === 'remove') };
    return withPlace(flags, io, signal, place, async ({ topology, words }) => {
      const changes = await plan(topology, needed(words, 'alias'), listed(flags, 'cells'), { signal });
      return carryOut(flags, io, signal, { command: `cell alias ${action}`, topology, changes });
    });
  },
};

type Plan = (t: Topology, name: string, cells: readonly string[], options: CallOptions) => Promise<Change[]>;

const PLANS: Readonly<Record<string, Plan>> = {
  add: planAddCellsAlias,
  update: planUpdateCellsAlias,
  remove(topology, name, cells, options) {
    if (cells.length > 0)
      throw usage('--cells does not go with remove', 'to take one cell from an alias: cell alias update');
    return planDeleteCellsAlias(topology, name, options);
  },
};

function list(flags: Flags, io: Io, signal: AbortSignal): Promise<number> {
  return withPlace(flags, io, signal, { names: ['alias'], access: 'read' }, async ({ topology, words }) => {
    if (words['alias'] !== undefined) throw usage(`unexpected word ${shown(words['alias'])}`);
    const found = await getCellsAliases(topology, { signal });
    const aliases = found.map(({ name, cells }) => ({ name, cells }));
    const rows = aliases.map(({ name, cells }) => [name, cells.join(', ')].map(printable));
    if (flags['output'] === 'json') io.out(json({ command: 'cell alias list', aliases }));
    else io.out(rows.length === 0 ? 'no aliases' : table(io, ['alias', 'cells'], rows));
    return Exit.Ok;
  });
}
