import type { CallOptions, Value } from '../../topo/connection.js';
import type { Version } from '../../topo/version.js';
import { noRecordAt } from './error.js';
import type { StoreOp } from './operation.js';
import type { Requests } from './requests.js';
import { makeVersion, readVersion } from './version.js';

export async function get(requests: Requests, path: string, options?: CallOptions): Promise<Value> {
  const item = await requests.read(path, options, () => requests.store.record(requests.keyOf(path)));
  if (item === undefined) throw noRecordAt(requests.context.store, path);
  return requests.valueOf(item);
}

export async function create(
  requests: Requests,
  path: string,
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<Version> {
  const op: StoreOp = { type: 'create', key: requests.keyOf(path), bytes: Buffer.from(bytes) };
  return versionOf(requests, await one(requests, path, op, options));
}

export async function update(
  requests: Requests,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options?: CallOptions,
): Promise<Version> {
  const token = readVersion(requests.context.store, version, path);
  const key = requests.keyOf(path);
  const copy = Buffer.from(bytes);
  const written =
    token === null
      ? await requests.change(path, options, () => requests.store.put(key, copy, requests.root))
      : await one(requests, path, { type: 'update', key, bytes: copy, token }, options);
  return versionOf(requests, written);
}

export async function remove(
  requests: Requests,
  path: string,
  version: Version | null,
  options?: CallOptions,
): Promise<void> {
  const token = readVersion(requests.context.store, version, path);
  await one(requests, path, { type: 'delete', key: requests.keyOf(path), token }, options);
}

async function one(
  requests: Requests,
  path: string,
  op: StoreOp,
  options: CallOptions | undefined,
): Promise<string | undefined> {
  const tokens = await requests.change(path, options, () => requests.store.write([op], requests.root));
  return tokens[0];
}

function versionOf(requests: Requests, token = ''): Version {
  return makeVersion(requests.context.store, token);
}
