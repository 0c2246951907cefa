import { planAddCellsAlias, planDeleteCellsAlias, planUpdateCellsAlias } from '../../../cells/aliases.js';
import { planAddCellInfo, planDeleteCellInfo, planSetCellInfo } from '../../../cells/info.js';
import { getCellInfo, getCellInfoNames, getCellsAliases } from '../../../cells/read.js';
import { readCellInfo } from '../../../topo/codec.js';
import { usage } from '../../flags.js';
import { type Call, change, type VtctlCommand, word } from './command.js';
import { printNames, printRecord, printRecords } from './print.js';

const ADDRESS_FLAGS = { 'server-address': 'text', root: 'text' } as const;
const ADDRESS_PARAMS = '[-server_address <addr>] [-root <root>] <cell>';

/** Commands about cells and their aliases. */
export const CELL_COMMANDS: readonly VtctlCommand[] = [
  {
    name: 'AddCellInfo',
    params: ADDRESS_PARAMS,
    describe: 'adds a cell, once its store answers from here',
    flags: ADDRESS_FLAGS,
    words: [1, 1],
    writes: true,
    async run(call) {
      const { topology, args, options } = call;
      if (args.text('root') === '') throw usage('root must be non-empty', 'give -root');
      const address = { serverAddress: args.text('server-address'), root: args.text('root') };
      await change(
        call,
        await planAddCellInfo(topology, word(call, 0), address, { ...options, force: false }),
      );
    },
  },
  {
    name: 'UpdateCellInfo',
    params: ADDRESS_PARAMS,
    describe: 'changes where a cell is; what is not given stays; adds the cell when it is not there',
    flags: ADDRESS_FLAGS,
    words: [1, 1],
    writes: true,
    run: updateCell,
  },
  {
    name: 'DeleteCellInfo',
    also: ['RemoveCellInfo'],
    params: '[-force] <cell>',
    describe:
      'removes a cell that nothing uses; -force: whatever uses it, and whether its store answers or not',
    flags: { force: 'switch' },
    words: [1, 1],
    writes: true,
    async run(call) {
      const options = { ...call.options, force: call.args.isOn('force') };
      await change(call, await planDeleteCellInfo(call.topology, word(call, 0), options));
    },
  },
  {
    name: 'GetCellInfoNames',
    params: '',
    describe: 'lists the cells',
    words: [0, 0],
    run: async (call) => printNames(call, await getCellInfoNames(call.topology, call.options)),
  },
  {
    name: 'GetCellInfo',
    params: '<cell>',
    describe: 'prints a CellInfo in JSON',
    words: [1, 1],
    async run(call) {
      const { value } = await getCellInfo(call.topology, word(call, 0), call.options);
      printRecord(call, 'topodata.CellInfo', value.bytes);
    },
  },
  {
    name: 'AddCellsAlias',
    params: '[-cells <cell,cell2...>] <alias>',
    describe: 'adds a name for several cells',
    flags: { cells: 'text' },
    words: [1, 1],
    writes: true,
    async run(call) {
      const { topology, args, options } = call;
      await change(call, await planAddCellsAlias(topology, word(call, 0), args.list('cells'), options));
    },
  },
  {
    name: 'UpdateCellsAlias',
    params: '[-cells <cell,cell2,...>] <alias>',
    describe: 'changes which cells a name stands for; adds the name when it is not there',
    flags: { cells: 'text' },
    words: [1, 1],
    writes: true,
    async run(call) {
      const { topology, args, options } = call;
      const [name, cells] = [word(call, 0), args.list('cells')];
      const known = (await getCellsAliases(topology, options)).map((alias) => alias.name);
      const plan = known.includes(name) ? planUpdateCellsAlias : planAddCellsAlias;
      await change(call, await plan(topology, name, cells, options));
    },
  },
  {
    name: 'DeleteCellsAlias',
    params: '<alias>',
    describe: 'removes a name for several cells',
    words: [1, 1],
    writes: true,
    run: async (call) => change(call, await planDeleteCellsAlias(call.topology, word(call, 0), call.options)),
  },
  {
    name: 'GetCellsAliases',
    params: '',
    describe: 'prints all aliases in JSON',
    words: [0, 0],
    async run(call) {
      const aliases = await getCellsAliases(call.topology, call.options);
      printRecords(
        call,
        'topodata.CellsAlias',
        aliases.map(({ name, value }) => ({ name, bytes: value.bytes })),
      );
    },
  },
];

async function updateCell(call: Call): Promise<void> {
  const { topology, args, io } = call;
  const options = { ...call.options, force: false };
  const [cell, serverAddress, root] = [word(call, 0), args.text('server-address'), args.text('root')];
  const given = { ...(serverAddress === '' ? {} : { serverAddress }), ...(root === '' ? {} : { root }) };
  const changes = await planSetCellInfo(topology, cell, given, options);
  const [written] = changes;
  if (written?.after !== undefined) {
    const half = readCellInfo(written.after);
    const missing = half.root === '' ? 'root' : half.serverAddress === '' ? 'server_address' : undefined;
    if (missing !== undefined)
      io.err(`cell ${cell} has no ${missing} yet: nobody finds its store before UpdateCellInfo -${missing}`);
  }
  await change(call, changes);
}
