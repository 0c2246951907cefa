import { namesIn } from '../../../cells/read.js';
import { keyspacesWithRecord } from '../../../graph/check.js';
import { derivedChanges } from '../../../graph/derived.js';
import { planKeyspaceGraph, planVSchemaGraph } from '../../../graph/rebuild.js';
import { usualTarget } from '../../../graph/target.js';
import { cellStore } from '../../../topo/changes.js';
import type { CallOptions } from '../../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../../topo/errors.js';
import { find } from '../../../topo/find.js';
import { hasWildcard, nameTest } from '../../../topo/wildcards.js';
import { type Call, change, changeLocked, type VtctlCommand, word } from './command.js';
import { printNames, printRecord, recordAt } from './print.js';

/** Commands about the serving graph. */
export const SERVING_COMMANDS: readonly VtctlCommand[] = [
  {
    name: 'RebuildKeyspaceGraph',
    params: '[-cells <cell1>,<cell2>,...] [-allow_partial] <keyspace> ...',
    describe: 'rebuilds SrvKeyspace of keyspaces in all cells, or in some',
    flags: { cells: 'text', 'allow-partial': 'switch' },
    words: [1, Number.POSITIVE_INFINITY],
    writes: true,
    run: rebuildKeyspaces,
  },
  {
    name: 'RebuildVSchemaGraph',
    params: '[-cells <cell1>,<cell2>,...]',
    describe: 'rebuilds SrvVSchema of all cells, or of some',
    flags: { cells: 'text' },
    words: [0, 0],
    writes: true,
    async run(call) {
      const part = {
        ...call.options,
        target: usualTarget(call.topology.global),
        cells: call.args.list('cells'),
      };
      await change(call, derivedChanges(await planVSchemaGraph(call.topology, part)));
    },
  },
  {
    name: 'GetSrvKeyspaceNames',
    params: '<cell>',
    describe: 'lists the keyspaces that have a SrvKeyspace in a cell',
    words: [1, 1],
    async run(call) {
      const store = await cellStore(call.topology, word(call, 0), call.options);
      const names = await namesIn(store, 'keyspaces', call.options);
      const found = await Promise.all(
        names.map((name) => find(store, `keyspaces/${name}/SrvKeyspace`, call.options)),
      );
      const served = names.filter((_, index) => found[index] !== undefined);
      if (served.length > 0) printNames(call, served);
    },
  },
  {
    name: 'GetSrvKeyspace',
    params: '<cell> <keyspace>',
    describe: 'prints a SrvKeyspace in JSON',
    words: [2, 2],
    run: (call) => printLocal(call, `keyspaces/${word(call, 1)}/SrvKeyspace`, 'topodata.SrvKeyspace'),
  },
  {
    name: 'GetSrvVSchema',
    params: '<cell>',
    describe: 'prints a SrvVSchema in JSON',
    words: [1, 1],
    run: (call) => printLocal(call, 'SrvVSchema', 'vschema.SrvVSchema'),
  },
];

async function printLocal(call: Call, path: string, message: string): Promise<void> {
  const store = await cellStore(call.topology, word(call, 0), call.options);
  printRecord(call, message, await recordAt(call, path, message, store));
}

async function rebuildKeyspaces(call: Call): Promise<void> {
  const { topology, args, options } = call;
  const target = usualTarget(topology.global);
  const part = { target, cells: args.list('cells'), allowPartial: args.isOn('allow-partial') };
  const plan = (keyspace: string) => async (held: CallOptions) =>
    derivedChanges(await planKeyspaceGraph(topology, keyspace, { ...held, ...part }));
  const keyspaces = await resolved(call);
  // Before anything is written, whatever is refused is refused.
  for (const keyspace of keyspaces) await plan(keyspace)(options);
  const known = await keyspacesWithRecord(topology, { ...options, ...part });
  for (const keyspace of keyspaces) {
    const lock = { dir: `keyspaces/${keyspace}`, action: 'RebuildKeyspace' };
    // A keyspace without record cannot be locked, and Vitess does not lock it to delete what is left of it.
    await changeLocked(call, known.includes(keyspace) ? [lock] : [], plan(keyspace));
  }
}

/** Keyspaces that the words name, with wildcards for those that there are. */
async function resolved({ topology, args, options }: Call): Promise<string[]> {
  const names: string[] = [];
  for (const text of args.words) {
    if (!hasWildcard(text)) {
      names.push(text);
      continue;
    }
    const known = await keyspacesWithRecord(topology, {
      ...options,
      target: usualTarget(topology.global),
      cells: [],
      allowPartial: false,
    });
    const matching = known.filter(nameTest(text));
    if (matching.length === 0)
      throw new TopologyError(ErrorCode.NoNode, `no keyspace fits ${JSON.stringify(text)}`, {
        store: topology.global.store,
        hint: known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`,
      });
    names.push(...matching);
  }
  return [...new Set(names)];
}
