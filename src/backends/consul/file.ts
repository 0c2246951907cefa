import type { CallOptions, Value } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Version } from '../../topo/version.js';
import type { Pair } from './answers.js';
import type { ConsulClient } from './client.js';
import { noRecord } from './error.js';
import { type Effect, find, transact } from './transaction.js';
import { makeVersion } from './version.js';

/** What Consul's own lock API writes into the flags of a lock's key: 0x2ddccbc058a50c18. */
export const LOCK_FLAGS = '3304740253564472344';

export function get(client: ConsulClient, path: string, options?: CallOptions): Promise<Value> {
  return find(client, path, options).then((found) => {
    if (found === undefined) throw noRecord(client.context, path);
    return toValue(client, found);
  });
}

export async function create(
  client: ConsulClient,
  path: string,
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<Version> {
  return written(client, { type: 'create', path, bytes }, options);
}

export async function update(
  client: ConsulClient,
  path: string,
  bytes: Uint8Array,
  version: Version | null,
  options?: CallOptions,
): Promise<Version> {
  const effect: Effect =
    version === null ? { type: 'put', path, bytes } : { type: 'update', path, bytes, version };
  return written(client, effect, options);
}

export async function remove(
  client: ConsulClient,
  path: string,
  version: Version | null,
  options?: CallOptions,
): Promise<void> {
  await transact(client, [{ type: 'delete', path, version }], options, { path });
}

export function toValue({ context }: ConsulClient, pair: Pair): Value {
  return {
    bytes: pair.value,
    version: makeVersion(context.store, pair.modifyIndex),
    ephemeral: isEphemeral(pair),
  };
}

/** Whether a session holds the key. The key of a lock may be left over when its holder's session ends: it is no record. */
export function isEphemeral({ session, flags }: Pair): boolean {
  return session !== '' || flags === LOCK_FLAGS;
}

async function written(
  client: ConsulClient,
  effect: Effect,
  options: CallOptions | undefined,
): Promise<Version> {
  const { path } = effect;
  const [version] = await transact(client, [effect], options, { path });
  if (version !== undefined) return version;
  // Applied, and left out of the answer: the token may write the key but not read it.
  const { store } = client.context;
  throw new TopologyError(ErrorCode.OutcomeUnknown, 'the write was done, but Consul tells no version', {
    path,
    store,
  });
}
