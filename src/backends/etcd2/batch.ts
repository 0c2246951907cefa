import type { ICompare, IKeyValue, IRequestOp } from 'etcd3';
import type { CallOptions, WriteOp } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Version } from '../../topo/version.js';
import type { EtcdClient } from './client.js';
import { changed, noRecord, recordExists } from './error.js';
import { absent, atRevision, look, present, toBuffer } from './file.js';
import { makeVersion, readVersion } from './version.js';

export async function write(
  client: EtcdClient,
  ops: readonly WriteOp[],
  options?: CallOptions,
): Promise<(Version | undefined)[]> {
  const { context } = client;
  const compare: ICompare[] = [];
  const success: IRequestOp[] = [];
  const failure: IRequestOp[] = [];
  for (const op of ops) {
    const key = client.keys.key(op.path);
    compare.push(condition(context.store, op, key));
    const effect = effectOf(op, key);
    if (effect !== undefined) success.push(effect);
    failure.push(look(key));
  }
  const request = { compare, success, failure };
  const { succeeded, header, responses } = await client.write('txn', request, undefined, options);
  if (!succeeded)
    throw refusal(
      client,
      ops,
      responses.map((response) => response.response_range.kvs[0]),
    );
  return ops.map((op) =>
    op.type === 'create' || op.type === 'update' ? makeVersion(context.store, header.revision) : undefined,
  );
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
