import { planDeleteTablet } from '../../../building/delete-tablet.js';
import { tabletPath } from '../../../building/records.js';
import { getCellInfoNames } from '../../../cells/read.js';
import { cellStore } from '../../../topo/changes.js';
import { systemClock } from '../../../topo/clock.js';
import { decode } from '../../../topo/codec.js';
import type { JsonObject } from '../../../topo/codec-json.js';
import { formatTabletAlias, parseTabletAlias } from '../../../topo/names.js';
import { splitList } from '../../place.js';
import { type Call, change, changeLocked, keyspaceShard, type VtctlCommand, word } from './command.js';
import { INIT_TABLET, tabletType } from './init-tablet.js';
import { printRecord, recordAt } from './print.js';
import { readTablets, shardName, tabletLines } from './tablet-list.js';

/** Commands about tablets. */
export const TABLET_COMMANDS: readonly VtctlCommand[] = [
  INIT_TABLET,
  {
    name: 'DeleteTablet',
    also: ['DeleteTablets'],
    params: '[-allow_primary] <tablet alias> ...',
    describe: 'deletes tablets from the topology',
    flags: { 'allow-primary': 'switch', 'allow-master': 'switch' },
    words: [1, Number.POSITIVE_INFINITY],
    writes: true,
    run: deleteTablets,
  },
  {
    name: 'GetTablet',
    params: '<tablet alias>',
    describe: 'prints a Tablet in JSON',
    words: [1, 1],
    async run(call) {
      printRecord(call, TABLET, await tabletAt(call, word(call, 0)));
    },
  },
  {
    name: 'ListAllTablets',
    also: ['GetTablets'],
    params: '[-keyspace <keyspace>] [-tablet_type <type>] [<cell1>,<cell2>,...]',
    describe: 'lists the tablets of all cells, or of some, one a line',
    flags: {
      keyspace: 'text',
      shard: 'text',
      'tablet-type': 'text',
      'tablet-alias': 'text',
      cell: 'text',
    },
    words: [0, 1],
    run: listAllTablets,
  },
  {
    name: 'ListTablets',
    params: '<tablet alias> ...',
    describe: 'lists these tablets, one a line',
    words: [1, Number.POSITIVE_INFINITY],
    async run(call) {
      const tablets: JsonObject[] = [];
      for (const alias of call.args.words) tablets.push(decode(TABLET, await tabletAt(call, alias)).json);
      for (const line of tabletLines(tablets, () => true)) call.io.out(line);
    },
  },
  {
    name: 'ListShardTablets',
    params: '<keyspace/shard>',
    describe: 'lists the tablets of a shard, one a line',
    words: [1, 1],
    async run(call) {
      const [keyspace, shard] = keyspaceShard(word(call, 0));
      await list(
        call,
        await getCellInfoNames(call.topology, call.options),
        (tablet) => shardName(tablet) === `${keyspace}/${shard}`,
      );
    },
  },
];

const TABLET = 'topodata.Tablet';

async function tabletAt(call: Call, text: string): Promise<Uint8Array> {
  const alias = parseTabletAlias(text);
  const store = await cellStore(call.topology, alias.cell, call.options);
  return recordAt(call, tabletPath(alias), TABLET, store);
}

async function listAllTablets(call: Call): Promise<void> {
  const { args, topology, options } = call;
  const named = [...args.list('cell'), ...splitList(args.words[0], 'the list of cells')];
  const cells = named.length > 0 ? named : await getCellInfoNames(topology, options);
  const type = args.has('tablet-type') ? tabletType(args.text('tablet-type')) : undefined;
  const aliases = args.list('tablet-alias').map((text) => formatTabletAlias(parseTabletAlias(text)));
  await list(call, cells, (tablet) => {
    const [keyspace, shard] = shardName(tablet).split('/');
    return (
      (!args.has('keyspace') || keyspace === args.text('keyspace')) &&
      (!args.has('shard') || shard === args.text('shard')) &&
      (type === undefined || (tablet['type'] ?? 'UNKNOWN') === type) &&
      (aliases.length === 0 || aliases.includes(aliasOf(tablet)))
    );
  });
}

function aliasOf(tablet: JsonObject): string {
  const { cell = '', uid = 0 } = { ...(tablet['alias'] as JsonObject | undefined) };
  return formatTabletAlias({ cell: String(cell), uid: Number(uid) });
}

/** Lists what can be read; then fails with the first of what cannot. */
async function list(
  call: Call,
  cells: readonly string[],
  isWanted: (tablet: JsonObject) => boolean,
): Promise<void> {
  const { tablets, problems } = await readTablets(call.topology, cells, call.options);
  for (const line of tabletLines(tablets, isWanted)) call.io.out(line);
  const [first, ...others] = problems;
  for (const problem of others) call.io.err(problem.message);
  if (first !== undefined) throw first;
}

async function deleteTablets(call: Call): Promise<void> {
  const { topology, args } = call;
  const flags = {
    allowPrimary: args.isOn('allow-primary') || args.isOn('allow-master'),
    now: systemClock.now(),
  };
  for (const alias of args.words.map(parseTabletAlias)) {
    const planned = await planDeleteTablet(topology, alias, { ...call.options, ...flags });
    if (!planned.isPrimary) {
      await change(call, planned.changes);
      continue;
    }
    const dir = `keyspaces/${planned.keyspace}/shards/${planned.shard}`;
    const action = `DeleteTablet(${formatTabletAlias(alias)})`;
    await changeLocked(
      call,
      [{ dir, action }],
      async (held) => (await planDeleteTablet(topology, alias, { ...held, ...flags })).changes,
    );
  }
}
