import type { CallOptions, WriteOp } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { ancestors, parentPath } from '../topo/paths.js';
import { ZkCode } from '../zookeeper/client.js';
import { findCompanions, isImplied } from './companions.js';
import { emptyWithChildren, recordExists } from './error.js';
import { checkEmptyUpdate, findRecord } from './file.js';
import type { Store } from './store.js';
import { readVersion, type ZnodeVersion } from './version.js';

/** An operation of a batch and where it goes. */
interface Target {
  readonly op: WriteOp;
  readonly index: number;
  readonly znode: string;
}

/** An operation of a batch and what is at its path. */
export interface Step extends Target {
  /**
   * What is to be done. `fill`: make a record of a directory; `absent`: make sure that nothing is there; `directory`: make
   * sure that a directory does not become a record.
   */
  readonly type: 'create' | 'fill' | 'update' | 'delete' | 'check' | 'absent' | 'directory';
  /** The state that the znode must be in. */
  readonly expected: ZnodeVersion | null;
  /** How many children the znode has that do not go with it. */
  readonly children: number;
  /** What goes with it when it is deleted: znodes, each before the one above it. */
  readonly companions?: readonly string[];
}

/** What a transaction is made of. */
export interface Findings {
  readonly steps: readonly Step[];
  /** Directories that the records to be created need, as znodes, and the index of a step that needs each: companions aside the first one, and each directory after the one above it. */
  readonly needed: ReadonlyMap<string, number>;
  /** Those of them that come with a record, and are below it. */
  readonly companions: ReadonlySet<string>;
  /** Those of them that several records need. */
  readonly shared: ReadonlySet<string>;
  /** Directories that are needed, or checked to be absent, and do not exist. */
  readonly missing: ReadonlySet<string>;
}

/** Reads of directories in one request. */
const READS_AT_A_TIME = 128;

/**
 * Finds out what a batch meets, and refuses what the single method would refuse. `trusting` leaves out what is most
 * likely: that new records are new, that directories seen lately still exist, and that others are missing when most
 * were the last time.
 */
export async function findOut(
  store: Store,
  ops: readonly WriteOp[],
  trusting: boolean,
  options: CallOptions | undefined,
): Promise<Findings> {
  const { needed, shared, companions } = neededBy(store, ops);
  const found = await inOrder(ops, (op, index) => findStep(store, op, index, needed, trusting, options));
  const steps = await withCompanions(store, found, options);
  const doubtful = new Set<string>();
  const doubt = (znode: string) => {
    // Without a directory a transaction fails, without a companion it does not.
    if (companions.has(znode) || !(trusting && store.directories.has(znode))) doubtful.add(znode);
  };
  for (const znode of needed.keys()) doubt(znode);
  for (const { type, znode } of steps)
    if (type === 'absent') for (const above of znodesAbove(znode)) doubt(above);
  if (trusting && store.newDirectories) return { steps, needed, companions, shared, missing: doubtful };
  const missing = await findMissing(store, [...doubtful], options);
  if (doubtful.size > 0) store.newDirectories = missing.size > doubtful.size / 2;
  return { steps, needed, companions, shared, missing };
}

/** The directories that the records to be created need. */
function neededBy(store: Store, ops: readonly WriteOp[]): Pick<Findings, 'needed' | 'companions' | 'shared'> {
  const needed = new Map<string, number>();
  const shared = new Set<string>();
  const companions = new Set<string>();
  // Of the record before, which most records are beside.
  let last = '';
  for (const [index, { type, path }] of ops.entries()) {
    if (type !== 'create') continue;
    const znode = store.znode(path);
    if (last !== '' && isRightBelow(znode, last)) shared.add(last);
    else {
      last = parentPath(znode);
      const above = noteAbove(last, index, needed);
      if (above !== '') shared.add(above);
    }
    for (const companion of store.layout.companions(path)) {
      needed.set(store.znode(companion), index);
      companions.add(store.znode(companion));
    }
  }
  return { needed, shared, companions };
}

/** Notes a directory and those above it, the uppermost first, up to one that was noted before, which is returned; '' when none was. */
function noteAbove(directory: string, index: number, needed: Map<string, number>): string {
  if (directory === '' || needed.has(directory)) return directory;
  const above = noteAbove(parentPath(directory), index, needed);
  needed.set(directory, index);
  return above;
}

function isRightBelow(znode: string, directory: string): boolean {
  return znode.lastIndexOf('/') === directory.length && znode.startsWith(directory);
}

/** Deletions with what goes with their records. */
async function withCompanions(
  store: Store,
  steps: readonly Step[],
  options: CallOptions | undefined,
): Promise<readonly Step[]> {
  const hasCompanions = ({ type, op, children }: Step) =>
    type === 'delete' && children > 0 && store.layout.companions(op.path).length > 0;
  if (!steps.some(hasCompanions)) return steps;
  const gone = new Set(steps.flatMap(({ type, znode }) => (type === 'delete' ? [znode] : [])));
  return inOrder(steps, async (step) => {
    if (!hasCompanions(step)) return step;
    const companions = await findCompanions(store, step.op.path, gone, options);
    const own = companions.filter((znode) => parentPath(znode) === step.znode);
    return { ...step, children: step.children - own.length, companions };
  });
}

/** The directories above a znode, the uppermost first: also the root and those above it. */
export function znodesAbove(znode: string): string[] {
  return ancestors(znode).filter((above) => above !== '');
}

/** Answers in the order of the operations, or the failure of the first that failed, with its index. */
async function inOrder<T>(
  items: readonly T[],
  find: (item: T, index: number) => Step | Promise<Step>,
): Promise<Step[]> {
  const found = items.map(find);
  // The new records of a copy: a promise for each would cost more than all else that is done for it.
  if (found.every((step): step is Step => !(step instanceof Promise))) return found;
  const settled = await Promise.allSettled(found);
  return settled.map((result, index) => {
    if (result.status === 'fulfilled') return result.value;
    throw result.reason instanceof TopologyError ? result.reason.at(index) : result.reason;
  });
}

/** Answers at once where nothing is read. */
function findStep(
  store: Store,
  op: WriteOp,
  index: number,
  needed: ReadonlyMap<string, number>,
  trusting: boolean,
  options: CallOptions | undefined,
): Step | Promise<Step> {
  const znode = store.znode(op.path);
  if ('bytes' in op && op.bytes.byteLength === 0 && needed.has(znode))
    return Promise.reject(emptyWithChildren(store.context, ErrorCode.Unsupported, op.path));
  // Field by field: a copy by `...` would take longer than all else that is done for a new record.
  if (op.type === 'create' && trusting)
    return { op, index, znode, type: 'create', expected: null, children: 0 };
  const target = { op, index, znode };
  if (op.type === 'create' || (op.type === 'check' && op.version === null))
    return findAbsence(store, target, options);
  return findPresence(store, target, op, options);
}

/** For an operation that wants a record to be there. */
async function findPresence(
  store: Store,
  target: Target,
  op: Exclude<WriteOp, { type: 'create' }>,
  options: CallOptions | undefined,
): Promise<Step> {
  const expected = op.version === null ? null : readVersion(store.context.store, op.version, op.path);
  const stat = await findRecord(store, op.path, expected, options);
  if (op.type === 'update') checkEmptyUpdate(store, op.path, op.bytes, stat);
  return { ...target, type: op.type, expected, children: stat.numChildren };
}

/** For an operation that wants no record to be there: a create, or a check of absence. */
async function findAbsence(store: Store, target: Target, options: CallOptions | undefined): Promise<Step> {
  const { op } = target;
  const znode = await store.readZnode(op.path, options);
  if (znode === undefined) {
    const type = op.type === 'create' ? 'create' : 'absent';
    return { ...target, type, expected: null, children: 0 };
  }
  if (store.layout.isRecord(op.path, znode) && !(await isImplied(store, op.path, znode, options)))
    throw recordExists(store.context, op.path);
  const { stat } = znode;
  if (op.type === 'create' && op.bytes.byteLength === 0 && stat.numChildren > 0)
    throw emptyWithChildren(store.context, ErrorCode.NodeExists, op.path);
  const type = op.type === 'create' ? 'fill' : 'directory';
  return { ...target, type, expected: stat, children: stat.numChildren };
}

/** Those of the znodes that do not exist. */
async function findMissing(
  store: Store,
  znodes: readonly string[],
  options: CallOptions | undefined,
): Promise<Set<string>> {
  const missing = new Set<string>();
  for (let at = 0; at < znodes.length; at += READS_AT_A_TIME) {
    const some = znodes.slice(at, at + READS_AT_A_TIME);
    const { results } = await store.read(undefined, options, (client, request) =>
      client.multiRead(
        some.map((path) => ({ type: 'getData', path })),
        request,
      ),
    );
    some.forEach((znode, i) => {
      const result = results[i];
      if (result?.type === 'error' && result.code === ZkCode.NoNode) missing.add(znode);
    });
  }
  return missing;
}
