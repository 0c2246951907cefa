import { outcomeUnknown } from '../topo/calls.js';
import type { CallOptions, WriteOp, WriteOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { parentPath } from '../topo/paths.js';
import type { Version } from '../topo/version.js';
import type { MultiResult, Reply } from '../zookeeper/client.js';
import { keptByChildren, recreated } from './error.js';
import { dropEmptied } from './file.js';
import { type Fence, fenceBroken, fenceOf } from './lock-hold.js';
import { allowChildren, ensureDirectory, removeLeftEmpty } from './parents.js';
import { type Findings, findOut, type Step } from './plan.js';
import type { Store, Work } from './store.js';
import { buildTransaction, type Transaction } from './transaction.js';
import { makeVersion } from './version.js';

/** What somebody else's change between the findings and the transaction can bring: then all is done anew. */
const OVERTAKEN: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.NoNode,
  ErrorCode.NodeExists,
  ErrorCode.BadVersion,
  ErrorCode.NotEmpty,
]);
/** Directories remembered at most. */
const REMEMBERED = 4_096;

type Answer = Reply & { readonly results: readonly MultiResult[] };

/**
 * Writes a batch as one transaction, with the directories that it needs. Directories that it leaves empty go
 * afterwards, as after single deletions.
 */
export async function write(
  store: Store,
  ops: readonly WriteOp[],
  options: WriteOptions,
): Promise<(Version | undefined)[]> {
  const { fence: lock } = options;
  if (lock === undefined) return writeBatch(store, ops, undefined, options);
  try {
    return await writeBatch(store, ops, await fenceOf(lock, options), options);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.OutcomeUnknown, ErrorCode.LockLost)) throw error;
    // Somebody who has the lock now may be the reason for what went wrong.
    await lock.check(options).catch((lost: unknown) => {
      if (isTopologyError(lost, ErrorCode.LockLost)) throw lost;
    });
    throw error;
  }
}

async function writeBatch(
  store: Store,
  ops: readonly WriteOp[],
  fence: Fence | undefined,
  options: CallOptions,
): Promise<(Version | undefined)[]> {
  let trusting = true;
  for (let attempt = 1; ; attempt++) {
    const findings = await findOut(store, ops, trusting, options);
    const { steps } = findings;
    const transaction = buildTransaction(findings, store.layout.recordAcl);
    const kept = transaction.emptied.find(({ companions }) => companions !== undefined);
    if (kept !== undefined) throw keptByChildren(store.context, kept.op.path).at(kept.index);
    const answer = await send(store, steps, transaction, fence, options);
    if (answer === 'directories' && attempt === 1) continue;
    trusting = false;
    if (typeof answer === 'string') continue;
    requireSame(store, czxidsOf(steps, transaction, answer));
    const versions = versionsOf(store, steps, transaction, answer);
    rememberDirectories(store, findings);
    await removeEmptied(store, steps, transaction, answer, options);
    return versions;
  }
}

/**
 * `directories` when nothing was applied, because somebody else made a directory meanwhile, as several batches do that fill a new
 * place at once; `again` when nothing was applied for another reason, and another attempt may do.
 */
async function send(
  store: Store,
  steps: readonly Step[],
  transaction: Transaction,
  fence: Fence | undefined,
  options: CallOptions | undefined,
): Promise<Answer | 'directories' | 'again'> {
  const { requests, made } = transaction;
  try {
    return await overSession(store, fence, options, async (client, request) => {
      const checked = steps.filter(({ type }) => type === 'check');
      const applied = client.multi(fence === undefined ? requests : [...requests, fence.check], request);
      // Within a session these reads come after the transaction: a czxid that they find was there all the time.
      const reads = Promise.all(checked.map(({ znode }) => client.exists(znode, request)));
      reads.catch(() => {});
      const answer = await applied;
      const found = await reads.catch((error: unknown) => {
        throw outcomeUnknown(store.context, undefined, error);
      });
      requireSame(
        store,
        checked.map((step, i) => [step, found[i]?.stat?.czxid]),
      );
      return answer;
    });
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    if (fence !== undefined && error.index === requests.length) throw fenceBroken(fence.lock, error);
    if (await canGoOn(store, transaction, error, options)) {
      const refused = requests[error.index ?? -1]?.path;
      const isMade = error.code === ErrorCode.NodeExists && made.some(({ znode }) => znode === refused);
      // The next attempt looks at directories, and need not look at every record.
      if (isMade) store.newDirectories = false;
      return isMade ? 'directories' : 'again';
    }
    throw named(store, transaction, error);
  }
}

/** Sends a transaction; with a fence over the session that owns the lock, which is refused when it has ended. */
async function overSession<T>(
  store: Store,
  fence: Fence | undefined,
  options: CallOptions | undefined,
  work: Work<T>,
): Promise<T> {
  if (fence === undefined) return store.write(undefined, options, work);
  const { client } = fence.entry.session;
  try {
    return await store.attempt({ kind: 'write' }, () => work(client, store.request(options)));
  } finally {
    store.sessions.delivered([client]);
  }
}

/** Whether a transaction that was refused may be accepted next time; does what is needed for it. */
async function canGoOn(
  store: Store,
  { requests, made }: Transaction,
  error: TopologyError,
  options: CallOptions | undefined,
): Promise<boolean> {
  // What comes with a record cannot be there before it.
  const above = made.filter(({ znode }) => !store.layout.stays(store.path(znode)));
  switch (error.code) {
    case ErrorCode.TooLarge:
      // The directories are what the caller's limits do not count: made beforehand, the rest fits.
      for (const { znode, path } of above) await ensureDirectory(store, znode, path, options);
      return above.length > 0;
    case ErrorCode.Unauthorized: {
      const refused = requests[error.index ?? -1]?.path;
      return refused !== undefined && allowChildren(store, refused, options);
    }
    default:
      if (!OVERTAKEN.has(error.code)) return false;
      store.directories.clear();
      return true;
  }
}

/** The error with the operation that the refused request belongs to, in place of the request's own index. */
function named(store: Store, { owners }: Transaction, error: TopologyError): TopologyError {
  const { code, hint, retryable, cause, index } = error;
  const owner = index === undefined ? undefined : owners[index];
  if (code === ErrorCode.OutcomeUnknown || owner === undefined) return error;
  const where = { path: owner.op.path, index: owner.index, store: store.context.store };
  return new TopologyError(code, 'the batch was refused', { hint, retryable, cause, ...where });
}

/** OutcomeUnknown, naming all of them, for records that were found with another czxid than expected. */
function requireSame(store: Store, found: readonly (readonly [Step, bigint | undefined])[]): void {
  const [first, ...more] = found.flatMap(([step, czxid]) =>
    step.expected === null || step.expected.czxid === czxid ? [] : [step],
  );
  if (first === undefined) return;
  const others = more.map(({ op }) => op.path);
  throw recreated(store.context, first.op.path, others).at(first.index);
}

/** The steps of a transaction whose answers show a czxid. */
function czxidsOf(
  steps: readonly Step[],
  { answers }: Transaction,
  { results }: Answer,
): (readonly [Step, bigint])[] {
  const found: (readonly [Step, bigint])[] = [];
  for (const step of steps) {
    const result = results[answers[step.index] ?? -1];
    if (result?.type === 'setData') found.push([step, result.stat.czxid]);
  }
  return found;
}

/** The versions that the answer gives the steps. */
function versionsOf(
  { context: { store } }: Store,
  steps: readonly Step[],
  { answers }: Transaction,
  { results, zxid }: Answer,
): (Version | undefined)[] {
  // All that a transaction creates has the czxid of the transaction.
  const created = makeVersion(store, { version: 0, czxid: zxid });
  return steps.map(({ index, op }) => {
    const result = results[answers[index] ?? -1];
    if (result === undefined || !('bytes' in op)) return undefined;
    return result.type === 'setData' ? makeVersion(store, result.stat) : created;
  });
}

/** Directories that were made for one record are hardly needed again. */
function rememberDirectories({ directories }: Store, { needed, missing, shared }: Findings): void {
  for (const znode of needed.keys()) {
    if (missing.has(znode) && !shared.has(znode)) continue;
    if (directories.size >= REMEMBERED) directories.clear();
    directories.add(znode);
  }
}

async function removeEmptied(
  store: Store,
  steps: readonly Step[],
  { answers, emptied }: Transaction,
  { results }: Answer,
  options: CallOptions | undefined,
): Promise<void> {
  for (const step of emptied) {
    const result = results[answers[step.index] ?? -1];
    if (result?.type === 'setData' && result.stat.numChildren === 0)
      await dropEmptied(store, step.op.path, result.stat, options);
  }
  const deleted = steps.filter(({ type }) => type === 'delete');
  const directories = new Set(deleted.map(({ op }) => parentPath(op.path)));
  await Promise.all([...directories].map((directory) => removeLeftEmpty(store, directory, options)));
}
