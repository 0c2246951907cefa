import type { IKeyValue, ITxnResponse } from 'etcd3';
import type { CallOptions, Value } from '../../topo/connection.js';
import type { Version } from '../../topo/version.js';
import type { EtcdClient } from './client.js';
import { changed, noRecord, recordExists } from './error.js';
import { makeVersion, readVersion } from './version.js';

export async function get(client: EtcdClient, path: string, options?: CallOptions): Promise<Value> {
  const { kvs } = await client.read('range', { key: client.keys.key(path) }, path, options);
  const [found] = kvs;
  if (found === undefined) throw noRecord(client.context, path);
  return toValue(client, found);
}

export async function create(
  client: EtcdClient,
  path: string,
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<Version> {
  const key = client.keys.key(path);
  const request = {
    compare: [absent(key)],
    success: [{ request_put: { key, value: toBuffer(bytes) } }],
  };
  const { succeeded, header } = await client.write('txn', request, path, options);
  if (!succeeded) throw recordExists(client.context, path);
  return makeVersion(client.context.store, header.revision);
}

export async function update(
  client: EtcdClient,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options?: CallOptions,
): Promise<Version> {
  const { store } = client.context;
  const put = { key: client.keys.key(path), value: toBuffer(bytes) };
  if (version === null) {
    const { header } = await client.write('put', put, path, options);
    return makeVersion(store, header.revision);
  }
  const request = {
    compare: [atRevision(put.key, readVersion(store, version, path))],
    success: [{ request_put: put }],
    failure: [look(put.key)],
  };
  const answer = await client.write('txn', request, path, options);
  if (!answer.succeeded) throw refusal(client, answer, path);
  return makeVersion(store, answer.header.revision);
}

export async function remove(
  client: EtcdClient,
  path: string,
  version: Version | null,
  options?: CallOptions,
): Promise<void> {
  const key = client.keys.key(path);
  if (version === null) {
    const { deleted } = await client.write('deleteRange', { key }, path, options);
    if (deleted === '0') throw noRecord(client.context, path);
    return;
  }
  const request = {
    compare: [atRevision(key, readVersion(client.context.store, version, path))],
    success: [{ request_delete_range: { key } }],
    failure: [look(key)],
  };
  const answer = await client.write('txn', request, path, options);
  if (!answer.succeeded) throw refusal(client, answer, path);
}

export function toValue({ context }: EtcdClient, kv: IKeyValue): Value {
  return {
    bytes: kv.value,
    version: makeVersion(context.store, kv.mod_revision),
    ephemeral: isLeased(kv),
  };
}

/** Whether a lease owns the record. */
export function isLeased(kv: IKeyValue): boolean {
  return kv.lease !== '0';
}

/** The same bytes as etcd3 takes them. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Condition: there is no such record. */
export function absent(key: Buffer) {
  return { result: 'Equal', target: 'Version', key, version: '0' } as const;
}

/** Condition: there is such a record. */
export function present(key: Buffer) {
  return { result: 'Greater', target: 'Version', key, version: '0' } as const;
}

/** Condition: the record is in the state of `modRevision`. */
export function atRevision(key: Buffer, modRevision: string) {
  return { result: 'Equal', target: 'Mod', key, mod_revision: modRevision } as const;
}

/** What to look up when a condition fails, to say which way. */
export function look(key: Buffer) {
  return { request_range: { key, keys_only: true } };
}

/** Why the record is not in the state that was asked for, by what {@link look} found. */
function refusal({ context }: EtcdClient, { responses }: ITxnResponse, path: string) {
  const found = responses[0]?.response_range.kvs ?? [];
  return found.length === 0 ? noRecord(context, path) : changed(context, path);
}
