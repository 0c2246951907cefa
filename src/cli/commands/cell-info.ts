import { planAddCellInfo, planDeleteCellInfo, planUpdateCellInfo } from '../../cells/info.js';
import {
  type CellInfo,
  type CellsAlias,
  getCellInfo,
  getCellInfos,
  getCellsAliases,
} from '../../cells/read.js';
import type { CellAddress } from '../../topo/codec.js';
import { accessOf, carryOut, DELETE_FLAGS, FORCE_FLAG, PLAN_FLAGS } from '../changes.js';
import { type Command, textFlag } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, text, usage } from '../flags.js';
import { type Io, json, table } from '../io.js';
import { printable } from '../lists.js';
import { ADDRESS_WORD, isGiven, needed, PLACE_FLAGS, withPlace } from '../place.js';

const WORDS = [ADDRESS_WORD, { name: 'cell', describe: 'name of the cell' }];

const ADDRESS_FLAGS = [
  textFlag('server-address', 'servers of the cell’s local store, as Vitess writes them', { spoken: true }),
  textFlag('root', 'root of the cell’s local store', { spoken: true }),
];

const ADDRESS = 'zk2://zk1:2181/vitess/global';

export const cellListCommand: Command = {
  command: 'list [address]',
  describe: 'show every cell, where its store is, and its alias',
  words: [ADDRESS_WORD],
  flags: PLACE_FLAGS,
  examples: [[`$0 cell list ${ADDRESS}`, 'connects to the global store alone']],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: [], access: 'read' }, async ({ topology }) => {
      const [infos, aliases] = await Promise.all([
        getCellInfos(topology, { signal }),
        getCellsAliases(topology, { signal }),
      ]);
      const cells = infos.map((info) => described(info, aliases));
      if (flags['output'] === 'json') io.out(json({ command: 'cell list', cells }));
      else io.out(cells.length === 0 ? 'no cells' : cellTable(io, cells));
      return Exit.Ok;
    }),
};

export const cellShowCommand: Command = {
  command: 'show [address] [cell]',
  describe: 'show one cell',
  words: WORDS,
  flags: PLACE_FLAGS,
  examples: [[`$0 cell show ${ADDRESS} zone1`, 'what GetCellInfo shows, and the alias']],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: ['cell'], access: 'read' }, async ({ topology, words }) => {
      const info = await getCellInfo(topology, needed(words, 'cell'), { signal });
      const cell = described(info, await getCellsAliases(topology, { signal }));
      if (flags['output'] === 'json')
        io.out(json({ command: 'cell show', ...cell, record: info.value.bytes }));
      else io.out(cellTable(io, [cell]));
      return Exit.Ok;
    }),
};

export const cellAddCommand: Command = {
  command: 'add [address] [cell]',
  describe: 'add a cell, once its store answers from here',
  words: WORDS,
  flags: [...PLACE_FLAGS, ...ADDRESS_FLAGS, ...PLAN_FLAGS, FORCE_FLAG],
  examples: [
    [
      `$0 cell add ${ADDRESS} zone3 --server-address zk1:2181,zk2:2181 --root /vitess/zone3`,
      'as AddCellInfo does',
    ],
  ],
  run: (flags, io, signal) =>
    changing(flags, io, signal, 'add', false, async (topology, cell, options) => {
      const { serverAddress, root } = givenAddress(flags);
      if (serverAddress === undefined || root === undefined)
        throw usage(`--${serverAddress === undefined ? 'server-address' : 'root'} is not given`);
      return planAddCellInfo(topology, cell, { serverAddress, root }, options);
    }),
};

export const cellUpdateCommand: Command = {
  command: 'update [address] [cell]',
  describe: 'change where a cell’s store is; what is not given stays',
  words: WORDS,
  flags: [...PLACE_FLAGS, ...ADDRESS_FLAGS, ...PLAN_FLAGS, FORCE_FLAG],
  examples: [[`$0 cell update ${ADDRESS} zone1 --server-address zk4:2181`, 'the root stays']],
  run: (flags, io, signal) =>
    changing(flags, io, signal, 'update', false, async (topology, cell, options) => {
      const given = givenAddress(flags);
      if (given.serverAddress === undefined && given.root === undefined)
        throw usage('nothing to change is given', 'give --server-address, --root, or both');
      return planUpdateCellInfo(topology, cell, given, options);
    }),
};

export const cellRemoveCommand: Command = {
  command: 'remove [address] [cell]',
  describe: 'remove a cell that nothing uses; without --yes: only show it',
  words: WORDS,
  flags: [...PLACE_FLAGS, ...DELETE_FLAGS, FORCE_FLAG],
  examples: [[`$0 cell remove ${ADDRESS} zone3 --yes`, 'as DeleteCellInfo does']],
  run: (flags, io, signal) => changing(flags, io, signal, 'remove', true, planDeleteCellInfo),
};

type Plan = typeof planDeleteCellInfo;

function changing(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  name: string,
  deletes: boolean,
  plan: Plan,
): Promise<number> {
  const force = isGiven(flags, 'force');
  const place = { names: ['cell'], access: accessOf(flags, deletes) };
  return withPlace(flags, io, signal, place, async ({ topology, words }) => {
    const changes = await plan(topology, needed(words, 'cell'), { signal, force });
    return carryOut(flags, io, signal, { command: `cell ${name}`, topology, changes });
  });
}

function givenAddress(flags: Flags): Partial<CellAddress> {
  const [serverAddress, root] = [text(flags, 'server-address'), text(flags, 'root')];
  return {
    ...(serverAddress === undefined ? {} : { serverAddress }),
    ...(root === undefined ? {} : { root }),
  };
}

function described({ name, serverAddress, root }: CellInfo, aliases: readonly CellsAlias[]) {
  const named = aliases.filter(({ cells }) => cells.includes(name)).map((alias) => alias.name);
  return { name, serverAddress, root, aliases: named };
}

function cellTable(io: Io, cells: readonly ReturnType<typeof described>[]): string {
  const rows = cells.map(({ name, serverAddress, root, aliases }) =>
    [name, serverAddress, root, aliases.join(', ')].map(printable),
  );
  return table(io, ['cell', 'server address', 'root', 'alias'], rows);
}
