import { backend } from '../../src/backends/etcd2/index.js';
import { addressFromTriple } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { TopologyError } from '../../src/topo/errors.js';
import type { EtcdCluster } from '../servers/index.js';

export const ROOT = '/vitess/global';

/** Connects to a root on etcd servers, with the time limits of tests where `settings` names none. */
export function connect(
  servers: string,
  root = ROOT,
  settings: Partial<ConnectSettings> = {},
): Promise<Connection> {
  return backend.connect(addressFromTriple('etcd2', servers, root), {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    ...settings,
  });
}

/** The error that `work` ends with. */
export async function errorOf(work: Promise<unknown>): Promise<TopologyError> {
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof TopologyError) return outcome;
  throw outcome instanceof Error ? outcome : new Error('the call went well');
}

/**
 * Turns on authentication: the user `vitess`, password `secret-2`, may read and write below the root; that of `root` is `secret-1`.
 */
export async function enableAuth(etcd: EtcdCluster): Promise<void> {
  await etcd.ctl('user', 'add', 'root:secret-1');
  await etcd.ctl('role', 'add', 'root').catch(() => 'newer ones have it');
  await etcd.ctl('user', 'grant-role', 'root', 'root');
  await etcd.ctl('user', 'add', 'vitess:secret-2');
  await etcd.ctl('role', 'add', 'topology');
  await etcd.ctl('role', 'grant-permission', 'topology', '--prefix=true', 'readwrite', `${ROOT}/`);
  await etcd.ctl('user', 'grant-role', 'vitess', 'topology');
  await etcd.ctl('auth', 'enable');
}

/** Everything in the cluster, as etcdctl reads it. */
export async function etcdHolds(etcd: EtcdCluster): Promise<Map<string, Buffer>> {
  const answer: unknown = JSON.parse(await etcd.ctl('get', '', '--prefix', '-w', 'json'));
  if (typeof answer !== 'object' || answer === null) throw new Error('etcdctl printed no object');
  const kvs: unknown = 'kvs' in answer ? answer.kvs : [];
  if (!Array.isArray(kvs)) throw new Error('etcdctl printed no kvs');
  return new Map(
    kvs.map(({ key, value = '' }: { key: string; value?: string }) => [
      Buffer.from(key, 'base64').toString(),
      Buffer.from(value, 'base64'),
    ]),
  );
}

/** Makes etcd forget all that was before its present revision, which it answers with. */
export async function compactEtcd(etcd: EtcdCluster): Promise<number> {
  const answer: unknown = JSON.parse(await etcd.ctl('get', 'nobody', '-w', 'json'));
  const revision = (answer as { header: { revision: number } }).header.revision;
  await etcd.ctl('compact', String(revision));
  return revision;
}
