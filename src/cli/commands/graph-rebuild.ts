import { type GraphPart, keyspacesWithRecord, shardKeyspaces } from '../../graph/check.js';
import { type DerivedRecord, isStale } from '../../graph/derived.js';
import { applyGraph, checkGraph, planKeyspaceGraph, planVSchemaGraph } from '../../graph/rebuild.js';
import { planShardGraphs } from '../../graph/shard-records.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Topology } from '../../topo/topology.js';
import { DELETE_FLAGS } from '../changes.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { count, type Io, json } from '../io.js';
import { whileLocked } from '../locked.js';
import { withPlace } from '../place.js';
import { checkServed, GRAPH_FLAGS, GRAPH_WORDS, partOf, titleOf } from './graph-part.js';
import { derivedJson, rebuiltText } from './graph-text.js';

export const graphRebuildCommand: Command = {
  command: 'rebuild [address] [keyspace]',
  describe:
    'rebuild SrvKeyspace and SrvVSchema (SrvShard and EndPoints, too, where there are such) as Vitess does; writes only what is stale',
  words: GRAPH_WORDS,
  flags: [...GRAPH_FLAGS, ...DELETE_FLAGS],
  examples: [
    ['$0 graph rebuild zk2://zk1:2181/vitess/global commerce', 'as RebuildKeyspaceGraph commerce'],
    ['$0 graph rebuild zk2://zk1:2181/vitess/global --vschema', 'as RebuildVSchemaGraph'],
  ],
  run(flags, io, signal) {
    const dryRun = flags['dry-run'] === true;
    const place = { names: ['keyspace'], access: dryRun ? 'read' : 'write' } as const;
    return withPlace(flags, io, signal, place, async ({ topology, words }) => {
      const part = partOf(flags, words['keyspace'], topology, signal);
      await checkServed(topology, signal);
      const keyspaces = part.keyspaces ?? (await keyspacesWithRecord(topology, part));
      const plans = await planAll(topology, part, keyspaces);
      const stale = [...plans.keyspaces.values(), plans.vschema, plans.shards].flat().filter(isStale);
      if (!dryRun) checkDeletions(flags, topology, stale);
      const written = dryRun ? [] : await rebuild({ topology, part, io }, plans);
      report(flags, io, part, dryRun, dryRun ? stale : written);
      return Exit.Ok;
    });
  },
};

/** What a rebuild would write, by keyspace. */
interface Plans {
  readonly keyspaces: ReadonlyMap<string, DerivedRecord[]>;
  readonly vschema: DerivedRecord[];
  /** SrvShard and EndPoints. */
  readonly shards: DerivedRecord[];
}

/** Plans everything before anything is written: whatever is refused is refused here. */
async function planAll(topology: Topology, part: GraphPart, keyspaces: readonly string[]): Promise<Plans> {
  const plans = new Map<string, DerivedRecord[]>();
  for (const keyspace of keyspaces)
    plans.set(keyspace, await planKeyspaceGraph(topology, keyspace, part).catch(inKeyspace(keyspace)));
  const shards: DerivedRecord[] = [];
  for (const keyspace of await shardKeyspaces(topology, part))
    shards.push(...(await planShardGraphs(topology, keyspace, part).catch(inKeyspace(keyspace))));
  const vschema = part.vschema ? await planVSchemaGraph(topology, part) : [];
  await checkGraph(topology, [...[...plans.values()].flat(), ...vschema], part);
  return { keyspaces: plans, vschema, shards };
}

function inKeyspace(keyspace: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof TopologyError) || error.code !== ErrorCode.Guard) throw error;
    throw new TopologyError(error.code, `keyspace ${keyspace}: ${error.message}`, {
      hint: `${error.hint === undefined ? '' : `${error.hint}; `}to rebuild others, name them`,
      cause: error,
    });
  };
}

interface Rebuild {
  readonly topology: Topology;
  readonly part: GraphPart;
  readonly io: Io;
}

async function rebuild({ topology, part, io }: Rebuild, plans: Plans): Promise<DerivedRecord[]> {
  const written: DerivedRecord[] = [];
  for (const [keyspace, plan] of plans.keyspaces) {
    if (!plan.some(isStale)) continue;
    // A keyspace without record cannot be locked, and Vitess does not lock it to delete what is left of it.
    if (plan.some(({ after }) => after === undefined))
      written.push(...(await applyGraph(topology, plan, part)));
    else written.push(...(await rebuildLocked({ topology, part, io }, keyspace)));
  }
  if (plans.vschema.some(isStale)) written.push(...(await applyGraph(topology, plans.vschema, part)));
  // Vitess took no lock for these either: each is written in the state that it was seen in.
  if (plans.shards.some(isStale)) written.push(...(await applyGraph(topology, plans.shards, part)));
  return written;
}

function rebuildLocked({ topology, part, io }: Rebuild, keyspace: string): Promise<DerivedRecord[]> {
  const wish = { dir: `keyspaces/${keyspace}`, action: 'RebuildKeyspace' };
  return whileLocked(topology, [wish], io, { signal: part.signal }, async ({ signal, check }) => {
    const held = { ...part, signal };
    const plan = await planKeyspaceGraph(topology, keyspace, held).catch(inKeyspace(keyspace));
    await check();
    return applyGraph(topology, plan, held);
  });
}

function checkDeletions(flags: Flags, topology: Topology, stale: readonly DerivedRecord[]): void {
  // EndPoints of a type that serves no longer were deleted by every rebuild.
  const deleted = stale.filter(({ after, kind }) => after === undefined && kind !== 'EndPoints');
  if (deleted.length === 0 || flags['yes'] === true) return;
  throw new TopologyError(
    ErrorCode.Guard,
    `${count(deleted.length, 'record')} of a keyspace or shard without record would be deleted`,
    { store: topology.global.store, hint: 'look at them with --dry-run; to do it, add --yes' },
  );
}

function report(
  flags: Flags,
  io: Io,
  { target }: GraphPart,
  dryRun: boolean,
  records: readonly DerivedRecord[],
): void {
  if (flags['output'] === 'json') {
    const document = { command: 'graph rebuild', target: titleOf(target), dryRun };
    io.out(json({ ...document, records: records.map(derivedJson) }));
    return;
  }
  if (records.length > 0) io.out(rebuiltText(io, records));
  if (dryRun) io.out(`dry run: ${count(records.length, 'record')} would be written`);
  else if (records.length === 0) io.out('nothing to write: the serving graph is as a rebuild would make it');
  else io.out(`${io.colors.green('done')} wrote ${count(records.length, 'record')}`);
}
