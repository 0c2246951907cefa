import { type DerivedRecord, derivedChanges } from '../graph/derived.js';
import { planKeyspaceGraph, planVSchemaGraph } from '../graph/rebuild.js';
import type { Target } from '../graph/target.js';
import { applyChanges, type Change } from '../topo/changes.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Topology } from '../topo/topology.js';
import type { SplitState } from './split-state.js';

/** Options of making the serving graph of new cells. */
export interface ServingOptions extends CallOptions {
  readonly target: Target;
  /** Accept a snapshot keyspace whose shards do not cover everything. */
  readonly allowPartial: boolean;
}

/** Does work under the lock of a keyspace that RebuildKeyspaceGraph takes. NoNode, Timeout, LockLost. */
export type WhileLocked = (
  keyspace: string,
  work: (held: { readonly signal: AbortSignal | undefined; check(): Promise<void> }) => Promise<void>,
) => Promise<void>;

/**
 * What a rebuild writes in the new cells: SrvKeyspace of every keyspace, and SrvVSchema. Guard, as a rebuild, also for a migration that
 * shows in the old cell alone, or in records that name it: the new cells would let queries through that it holds back.
 */
export async function planServing(
  topology: Topology,
  state: SplitState,
  options: ServingOptions,
): Promise<Change[]> {
  const [rule] = state.rules;
  if (rule !== undefined) throw ruled(topology, state.old.name, rule);
  const records: DerivedRecord[] = [];
  for (const keyspace of state.keyspaces)
    records.push(...(await planKeyspace(topology, state, keyspace, options)));
  records.push(...(await planVSchemaGraph(topology, { ...options, cells: namesOf(state) })));
  return derivedChanges(records);
}

/**
 * Writes them, each keyspace's under its lock, as Vitess does. Guard when they would be others by then: nothing of that keyspace is
 * written, what came before it stays. As {@link applyChanges} and {@link WhileLocked}.
 */
export async function applyServing(
  topology: Topology,
  state: SplitState,
  changes: readonly Change[],
  whileLocked: WhileLocked,
  options: ServingOptions,
): Promise<void> {
  for (const keyspace of state.keyspaces) {
    const own = changes.filter(({ path }) => path === `keyspaces/${keyspace}/SrvKeyspace`);
    if (own.length === 0) continue;
    await whileLocked(keyspace, async ({ signal, check }) => {
      const held = { signal };
      const planned = await planKeyspace(topology, state, keyspace, { ...options, ...held });
      if (!sameOutcome(own, derivedChanges(planned))) throw moved(topology, keyspace);
      await check();
      await applyChanges(topology, own, held);
    });
  }
  const rest = changes.filter(({ path }) => path === 'SrvVSchema');
  await applyChanges(topology, rest, options);
}

async function planKeyspace(
  topology: Topology,
  state: SplitState,
  keyspace: string,
  options: ServingOptions,
): Promise<DerivedRecord[]> {
  const added = namesOf(state);
  const cells = state.old.info === undefined ? added : [state.old.name, ...added];
  const planned = await planKeyspaceGraph(topology, keyspace, { ...options, cells });
  return planned.filter(({ cell }) => added.includes(cell));
}

function namesOf({ added }: SplitState): string[] {
  return added.map(({ name }) => name);
}

function sameOutcome(a: readonly Change[], b: readonly Change[]): boolean {
  const text = (changes: readonly Change[]) =>
    changes
      .map(({ scope, path, after }) => `${scope}:${path} ${Buffer.from(after ?? []).toString('hex')}`)
      .join('\n');
  return text(a) === text(b);
}

function ruled(topology: Topology, cell: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.Guard, `a migration was switched in cell ${cell} by its name`, {
    path,
    store: topology.global.store,
    hint: 'finish or cancel it first: what it says would not hold in a new cell',
  });
}

function moved(topology: Topology, keyspace: string): TopologyError {
  return new TopologyError(
    ErrorCode.Guard,
    `keyspace ${keyspace} changed since its serving graph was planned`,
    {
      store: topology.global.store,
      hint: 'run it again',
    },
  );
}
