import { backend as etcd2 } from '../../src/backends/etcd2/index.js';
import { backend as zk2 } from '../../src/backends/zk2/index.js';
import { parseAddress } from '../../src/topo/address.js';
import type { Connection } from '../../src/topo/connection.js';
import { joinPath } from '../../src/topo/paths.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  available,
  type EtcdVersion,
  startEtcd,
  startZooKeeper,
  type ZooKeeperVersion,
} from '../servers/index.js';
import { SETTINGS } from './topologies.js';

/** A running server that can be sealed. */
export interface SealableServer {
  readonly servers: string;
  /** What sealing needs of the environment and of flags, for a side (`from`) or a topology alone (``). */
  env(side: '' | 'from'): Record<string, string>;
  flags(side: '' | 'from'): string[];
  /** Connects with the rights to seal. */
  sealer(root: string): Promise<Connection>;
  /** Connects with the rights of Vitess's processes. */
  writer(root: string): Promise<Connection>;
  /** Every right that there is, as the store itself tells it. */
  rights(): Promise<string[]>;
  stop(): Promise<void>;
}

/** A product and version whose stores can be sealed. */
export interface Sealable {
  readonly name: string;
  readonly implementation: 'zk2' | 'etcd2';
  readonly available: boolean;
  start(): Promise<SealableServer>;
}

export const SEALABLES: readonly Sealable[] = [
  ...(['3.4', '3.8'] as const).map(zooKeeper),
  ...(['3.3', '3.5'] as const).map(etcd),
];

function zooKeeper(version: ZooKeeperVersion): Sealable {
  return {
    name: `ZooKeeper ${version}`,
    implementation: 'zk2',
    available: available.zookeeper(version),
    async start() {
      const server = await startZooKeeper({ version });
      const connect = (root: string) => zk2.connect(parseAddress(`zk2://${server.servers}${root}`), SETTINGS);
      return {
        servers: server.servers,
        env: () => ({}),
        flags: () => [],
        sealer: connect,
        writer: connect,
        rights: () => acls(server.servers),
        stop: () => server.stop(),
      };
    },
  };
}

/** The ACL of every znode of a server, but for those that come and go: locks, and what this tool keeps. */
async function acls(servers: string): Promise<string[]> {
  const client = await connectOwnClient({ servers: [servers] });
  const found: string[] = [];
  const visit = async (path: string): Promise<void> => {
    await client.sync('/');
    const [{ acl }, { children }] = await Promise.all([client.getAcl(path), client.getChildren(path)]);
    found.push(`${path} ${JSON.stringify(acl)}`);
    for (const name of children)
      if (name !== 'locks' && name !== 'topo2topo')
        await visit(joinPath(path === '/' ? '' : path, name) || '/');
  };
  await visit('/vitess');
  await client.close();
  return found.sort();
}

function etcd(version: EtcdVersion): Sealable {
  return {
    name: `etcd ${version}`,
    implementation: 'etcd2',
    available: available.etcd(version),
    async start() {
      const server = await startEtcd({ version });
      const ctl = server.ctl;
      await ctl('user', 'add', 'root:secret-1');
      await ctl('role', 'add', 'root').catch(() => 'newer ones have it');
      await ctl('user', 'grant-role', 'root', 'root');
      await ctl('user', 'add', 'vitess:secret-2');
      const roles: Record<string, readonly string[]> = {
        topology: ['--prefix=true', 'readwrite', '/vitess/'],
        everything: ['--from-key=true', 'write', '/'],
        reading: ['--prefix=true', 'read', '/vitess/global/'],
      };
      for (const [role, permission] of Object.entries(roles)) {
        await ctl('role', 'add', role);
        await ctl('role', 'grant-permission', role, ...permission);
        await ctl('user', 'grant-role', 'vitess', role);
      }
      await ctl('auth', 'enable');
      const connect = (root: string, username: string, password: string) =>
        etcd2.connect(parseAddress(`etcd2://${server.servers}${root}`), {
          ...SETTINGS,
          etcdAuth: { username, password },
        });
      return {
        servers: server.servers,
        env: (side) => ({ [`TOPO2TOPO_${side === '' ? '' : 'FROM_'}ETCD_PASSWORD`]: 'secret-1' }),
        flags: (side) => [side === '' ? '--topo-etcd-username' : '--from-topo-etcd-username', 'root'],
        sealer: (root) => connect(root, 'root', 'secret-1'),
        writer: (root) => connect(root, 'vitess', 'secret-2'),
        rights: () =>
          Promise.all(Object.keys(roles).map((role) => ctl('--user', 'root:secret-1', 'role', 'get', role))),
        stop: () => server.stop(),
      };
    },
  };
}
