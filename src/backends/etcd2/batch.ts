import type { ICompare, IKeyValue, IRequestOp } from 'etcd3';
import type { CallOptions, WriteOp, WriteOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { lockLost } from '../../topo/held-lock.js';
import type { Lock } from '../../topo/locks.js';
import type { Version } from '../../topo/version.js';
import { batchRequest } from './batch-message.js';
import type { EtcdClient } from './client.js';
import { changed, noRecord, recordExists } from './error.js';
import { absent, atRevision, look, present, toBuffer } from './file.js';
import { placeOf } from './lock.js';
import { makeVersion, readVersion } from './version.js';

/**
 * Writes a batch as one transaction.
 *
 * The transaction that is nearly always enough looks nothing up. When it is refused it has changed nothing, and is sent
 * again with look-ups in its else branch: either all conditions hold by now, and it is carried out, or it is refused
 * once more, together with what was found at that very revision, which is what the error tells. A read of its own would
 * show a later state, which may explain nothing.
 */
export async function write(
  client: EtcdClient,
  ops: readonly WriteOp[],
  { fence, ...options }: WriteOptions,
): Promise<(Version | undefined)[]> {
  const { store } = client.context;
  const place = fence && placeOf(fence);
  if (fence !== undefined && place === undefined) throw notHeld(client, fence);
  const request = batchRequest(store, client.keys, ops, place);
  const { succeeded, revision } = await client.write('batch', request, undefined, options);
  return versionsOf(
    store,
    ops,
    succeeded ? revision : await writeExplained(client, ops, fence, place, options),
  );
}

/** What one transaction has written has one mod revision. */
function versionsOf(store: string, ops: readonly WriteOp[], revision: string): (Version | undefined)[] {
  const version = makeVersion(store, revision);
  return ops.map(({ type }) => (type === 'create' || type === 'update' ? version : undefined));
}

/** Sends a batch with look-ups for the case that it is refused. Gives the revision at which it was carried out. */
async function writeExplained(
  client: EtcdClient,
  ops: readonly WriteOp[],
  fence: Lock | undefined,
  place: ReturnType<typeof placeOf>,
  options: CallOptions,
): Promise<string> {
  const keys: Buffer[] = [];
  const compare: ICompare[] = [];
  const success: IRequestOp[] = [];
  for (const op of ops) {
    const key = client.keys.key(op.path);
    keys.push(key);
    compare.push(condition(client.context.store, op, key));
    const effect = effectOf(op, key);
    if (effect !== undefined) success.push(effect);
  }
  if (place !== undefined) {
    keys.push(place.key);
    compare.push(atRevision(place.key, place.revision));
  }
  const explained = { compare, success, failure: keys.map(look) };
  const answer = await client.write('txn', explained, undefined, options);
  if (answer.succeeded) return answer.header.revision;
  const found = answer.responses.map((response) => response.response_range.kvs[0]);
  if (fence !== undefined && found.pop()?.mod_revision !== place?.revision) throw notHeld(client, fence);
  throw refusal(client, ops, found);
}

/** LockLost for a batch that depends on a lock. */
function notHeld({ context }: EtcdClient, { dir, lost }: Lock): TopologyError {
  return lost.aborted ? lost.reason : lockLost(context, dir, 'a batch depends on it, and was not written');
}

function condition(store: string, op: WriteOp, key: Buffer): ICompare {
  if (op.type === 'create') return absent(key);
  if (op.version !== null) return atRevision(key, readVersion(store, op.version, op.path));
  return op.type === 'delete' ? present(key) : absent(key);
}

function effectOf(op: WriteOp, key: Buffer): IRequestOp | undefined {
  if (op.type === 'check') return undefined;
  if (op.type === 'delete') return { request_delete_range: { key } };
  return { request_put: { key, value: toBuffer(op.bytes) } };
}

/** The error of the first operation whose condition did not hold, by what was found in its place. */
function refusal(
  { context }: EtcdClient,
  ops: readonly WriteOp[],
  found: readonly (IKeyValue | undefined)[],
): TopologyError {
  for (const [index, op] of ops.entries()) {
    const kv = found[index];
    const wanted = op.type === 'create' ? null : op.version;
    if (op.type === 'create' || (op.type === 'check' && wanted === null)) {
      if (kv !== undefined) return recordExists(context, op.path).at(index);
    } else if (kv === undefined) {
      return noRecord(context, op.path).at(index);
    } else if (wanted !== null && kv.mod_revision !== wanted.token) {
      return changed(context, op.path).at(index);
    }
  }
  return new TopologyError(ErrorCode.Corrupt, 'etcd refused a batch whose conditions all hold', {
    store: context.store,
  });
}
