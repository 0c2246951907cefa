import type { CallOptions, Connection, StoredRecord } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { compareBytewise } from '../topo/paths.js';
import { deleteReasons, type Reason } from './judge.js';
import { Surroundings } from './surroundings.js';
import { kindOf, readTarget, refused, type Target, type TargetPlace, untouchable } from './target.js';
import type { EditPlan } from './write.js';

/** Options of {@link planRemove}. */
export interface RemoveOptions extends CallOptions {
  /** Take everything below a path that is a directory. */
  readonly recursive: boolean;
}

/**
 * Plans the deletion of records of one store, those deepest in the tree first. NoNode for a path at which there is nothing;
 * Usage for a directory unless `recursive`, and for the root; Guard for what {@link untouchable} names, anywhere below.
 */
export async function planRemove(
  place: Omit<TargetPlace, 'path'>,
  paths: readonly string[],
  options: RemoveOptions,
): Promise<EditPlan> {
  const targets = new Map<string, Target>();
  for (const path of new Set(paths))
    for (const target of await targetsAt({ ...place, path }, options)) targets.set(target.path, target);
  // The other way round a stopped deletion would leave shards without their keyspace.
  const sorted = [...targets.values()].sort((a, b) => compareBytewise(b.path, a.path));
  const around = new Surroundings(place.topology, options);
  const leaving = new Set(targets.keys());
  const reasons: Reason[] = [];
  for (const target of sorted) reasons.push(...(await deleteReasons(target, around, leaving)));
  const changes = sorted.map(({ scope, path, before }) => ({ scope, path, before, after: undefined }));
  return { changes, reasons };
}

async function targetsAt(place: TargetPlace, options: RemoveOptions): Promise<Target[]> {
  const { store, path } = place;
  if (path === '')
    throw new TopologyError(ErrorCode.Usage, 'the root of a store is not deleted', {
      store: store.store,
      hint: 'name what is to go',
    });
  const own = await readTarget(place, options);
  if (own.before !== undefined && !options.recursive) return [own];
  const below = options.recursive ? await recordsBelow(place, options) : [];
  const found = own.before === undefined ? below : [own, ...below];
  if (found.length === 0) throw await nothingAt(store, path, options);
  return found;
}

async function recordsBelow(place: TargetPlace, options: RemoveOptions): Promise<Target[]> {
  const found: Target[] = [];
  for await (const { records } of place.store.scan(place.path, options))
    for (const record of records) found.push(targetOf(place, record));
  return found;
}

function targetOf(place: TargetPlace, { path, ...before }: StoredRecord): Target {
  const reason = untouchable({ ...place, path }, before.ephemeral);
  if (reason !== undefined) throw refused(reason, place.store, path);
  return { ...place, path, before, ...kindOf(place.scope, path) };
}

async function nothingAt(store: Connection, path: string, options: RemoveOptions): Promise<TopologyError> {
  const at = { path, store: store.store };
  const names = await store.listDir(path, options).catch((error: unknown) => {
    if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
    throw error;
  });
  if (names === undefined)
    return new TopologyError(ErrorCode.NoNode, 'there is nothing at this path', {
      ...at,
      hint: 'topo2topo ls shows what is there',
    });
  return options.recursive
    ? new TopologyError(ErrorCode.NoNode, 'the directory holds no records', at)
    : new TopologyError(ErrorCode.Usage, 'this is a directory', {
        ...at,
        hint: 'to delete every record below it, add -r',
      });
}
