import pLimit from 'p-limit';
import { type Cell, GLOBAL } from '../topo/topology.js';
import { DELETES, type WriteAction } from './entries.js';
import { hiddenRecords } from './hidden.js';
import type { CopyOptions } from './options.js';
import type { Part, Parts } from './parts.js';
import { planPart } from './pass.js';
import type { Missing, Plan, ScopePlan } from './plan.js';

/** A plan of some parts, with what its guards have to know of records that are none of it. */
export async function withBeside(
  scopes: readonly ScopePlan[],
  { global, beside }: Pick<Parts, 'global' | 'beside'>,
  cells: readonly Cell[],
  options: CopyOptions,
): Promise<Plan> {
  return {
    scopes,
    cells,
    primaries: await primariesBeside(scopes, global, options),
    missing: await missingBeside(scopes, beside, options),
    hidden: await hiddenRecords(scopes, beside, options),
  };
}

/** Tablets that Shards name, where Tablets are deleted and the Shards are in no part that was planned. */
export async function primariesBeside(
  scopes: readonly ScopePlan[],
  global: Part,
  options: CopyOptions,
): Promise<ReadonlySet<string>> {
  const deletes = scopes.some((scope) => [...scope.writes(DELETES)].some(({ kind }) => kind === 'Tablet'));
  if (!deletes || scopes.some(({ scope }) => scope === GLOBAL)) return new Set();
  return (await planPart(global, options)).primaries;
}

const COMMIT: ReadonlySet<WriteAction> = new Set<WriteAction>(['rewrite']);
const CREATE: ReadonlySet<WriteAction> = new Set<WriteAction>(['create', 'transcode']);

/**
 * Records that CellInfo, the commit, must not come before, and that neither the destination nor the plan has: of cells that others
 * copy, and, where a part of the records alone is asked for, of the cells whose CellInfo the plan writes, and the global ones.
 */
async function missingBeside(
  scopes: readonly ScopePlan[],
  beside: readonly Part[],
  options: CopyOptions,
): Promise<Missing[]> {
  if (options.overrules?.emptyCells === true) return [];
  const global = scopes.find(({ scope }) => scope === GLOBAL);
  if (global === undefined) return [];
  const opened = new Set([...global.writes(COMMIT)].map(({ path }) => path.split('/')[1] ?? ''));
  const isNarrowed = options.kinds !== undefined || options.paths !== undefined;
  const planned = new Map(scopes.map((scope) => [scope.scope, scope]));
  const isNeeded = (scope: string) => {
    if (scope === GLOBAL) return isNarrowed && opened.size > 0;
    if (opened.has(scope)) return isNarrowed || !planned.has(scope);
    return !planned.has(scope) && options.paths === undefined;
  };
  const limit = pLimit(options.concurrency);
  const found = await Promise.all(
    beside
      .filter(({ scope }) => isNeeded(scope))
      .map((part) =>
        limit(async () => {
          const looked = opened.has(part.scope) || part.scope === GLOBAL ? whole(part) : part;
          const { scope, writes } = { scope: part.scope, writes: await planPart(looked, options) };
          return { scope, number: notWritten(writes, planned.get(scope)) };
        }),
      ),
  );
  return found.filter(({ number }) => number > 0);
}

/** A part with all its records, whichever of them are asked for. What is looked at is not owned. */
function whole(part: Part): Part {
  return {
    ...part,
    context: (from, to) => ({
      ...part.context(from, to),
      kinds: undefined,
      keyspaces: undefined,
      paths: undefined,
      ledger: undefined,
    }),
  };
}

/** How many records the destination lacks that a plan of some of them does not create. */
function notWritten(all: ScopePlan, planned: ScopePlan | undefined): number {
  const created = new Set(planned === undefined ? [] : createdBy(planned));
  let number = 0;
  for (const path of createdBy(all)) if (!created.has(path)) number += 1;
  return number;
}

/** Paths of records that a plan creates. */
function* createdBy(scope: ScopePlan): Generator<string> {
  for (const { path, destination } of scope.writes(CREATE)) if (destination === undefined) yield path;
}
