import { outcomeUnknown } from '../../topo/calls.js';
import type { CallOptions, WriteOp } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { parentPath } from '../../topo/paths.js';
import type { Version } from '../../topo/version.js';
import type { MultiResult, Reply } from '../../zookeeper/client.js';
import { recreated } from './error.js';
import { dropEmptied } from './file.js';
import { allowChildren, ensureDirectory, removeLeftEmpty } from './parents.js';
import { findOut, type Step } from './plan.js';
import type { Store } from './store.js';
import { buildTransaction, type Transaction } from './transaction.js';
import { makeVersion } from './version.js';

/** What somebody else's change between the findings and the transaction can bring: then all is done anew. */
const OVERTAKEN: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.NoNode,
  ErrorCode.NodeExists,
  ErrorCode.BadVersion,
  ErrorCode.NotEmpty,
]);
/** Directories remembered at most: those that many records need are few, the others are used once. */
const REMEMBERED = 4_096;

type Answer = Reply & { readonly results: readonly MultiResult[] };

/**
 * Writes a batch as one transaction, with the directories that it needs. Directories that it leaves empty go
 * afterwards, as after single deletions.
 */
export async function write(
  store: Store,
  ops: readonly WriteOp[],
  options: CallOptions | undefined,
): Promise<(Version | undefined)[]> {
  for (let trusting = true; ; trusting = false) {
    const findings = await findOut(store, ops, trusting, options);
    const { steps, needed } = findings;
    const transaction = buildTransaction(store, findings);
    const answer = await send(store, steps, transaction, options);
    if (answer === undefined) continue;
    const versions = steps.map((step) => versionOf(store, step, transaction, answer));
    rememberDirectories(store, needed.keys());
    await removeEmptied(store, steps, transaction, answer, options);
    return versions;
  }
}

/** Undefined when nothing was applied and another attempt may do. */
async function send(
  store: Store,
  steps: readonly Step[],
  transaction: Transaction,
  options: CallOptions | undefined,
): Promise<Answer | undefined> {
  try {
    return await store.write(undefined, options, async (client, request) => {
      const checked = steps.filter(({ type }) => type === 'check');
      const applied = client.multi(transaction.requests, request);
      // Within a session these reads come after the transaction: a czxid that they find was there all the time.
      const reads = Promise.all(checked.map(({ op }) => client.exists(store.znode(op.path), request)));
      reads.catch(() => {});
      const answer = await applied;
      const found = await reads.catch((error: unknown) => {
        throw outcomeUnknown(store.context, undefined, error);
      });
      checked.forEach((step, i) => {
        requireSame(store, step, found[i]?.stat?.czxid);
      });
      return answer;
    });
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    if (await canGoOn(store, transaction, error, options)) return undefined;
    throw named(store, transaction, error);
  }
}

/** Whether a transaction that was refused may be accepted next time; does what is needed for it. */
async function canGoOn(
  store: Store,
  { requests, made }: Transaction,
  error: TopologyError,
  options: CallOptions | undefined,
): Promise<boolean> {
  switch (error.code) {
    case ErrorCode.TooLarge:
      // The directories are what the caller's limits do not count: made beforehand, the rest fits.
      for (const { znode, path } of made) await ensureDirectory(store, znode, path, options);
      return made.length > 0;
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

function requireSame(store: Store, step: Step, czxid: bigint | undefined): void {
  if (step.expected !== null && step.expected.czxid !== czxid)
    throw recreated(store.context, step.op.path).at(step.index);
}

/** The version that the answer gives a step; OutcomeUnknown where it shows a re-created record. */
function versionOf(
  store: Store,
  step: Step,
  { answers }: Transaction,
  { results, zxid }: Answer,
): Version | undefined {
  const result = results[answers.get(step) ?? -1];
  if (result === undefined) return undefined;
  if (result.type === 'setData') requireSame(store, step, result.stat.czxid);
  if (!('bytes' in step.op)) return undefined;
  const written = result.type === 'setData' ? result.stat : { version: 0, czxid: zxid };
  return makeVersion(store.context.store, written);
}

function rememberDirectories(store: Store, znodes: Iterable<string>): void {
  for (const znode of znodes) {
    if (store.directories.size >= REMEMBERED) store.directories.clear();
    store.directories.add(znode);
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
    const result = results[answers.get(step) ?? -1];
    if (result?.type === 'setData' && result.stat.numChildren === 0)
      await dropEmptied(store, step.op.path, result.stat, options);
  }
  const deleted = steps.filter(({ type }) => type === 'delete');
  const directories = new Set(deleted.map(({ op }) => parentPath(op.path)));
  await Promise.all([...directories].map((directory) => removeLeftEmpty(store, directory, options)));
}
