import { backend } from '../../src/backends/zk2/index.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { CreateMode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import type { Subject } from '../conformance/index.js';
import { type Cluster, startZooKeeper, type ZooKeeperVersion } from '../servers/index.js';

/** What a test may choose of {@link ConnectSettings}. */
interface Settings extends Pick<ConnectSettings, 'zkAuth' | 'zkClient' | 'tls'> {
  readonly connectTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
}

/** From and to, by the rules of ZooKeeper's own clients. */
const REFUSED = ['\u0001\u001f', '\u007f\u009f', '\ud800\uf8ff', '\ufff0\uffff'];

function refusesName(name: string): boolean {
  return name.split('').some((unit) => REFUSED.some(([from = '', to = '']) => unit >= from && unit <= to));
}

/** Connects zk2 to `root` on a cluster, or on `servers` in Vitess's own syntax. */
export function openZk2(servers: string, root: string, settings: Settings = {}): Promise<Connection> {
  return backend.connect(
    { implementation: 'zk2', server: servers, root },
    {
      clock: systemClock,
      random: Math.random,
      connectTimeoutMs: settings.connectTimeoutMs ?? 10_000,
      requestTimeoutMs: settings.requestTimeoutMs ?? 10_000,
      zkAuth: settings.zkAuth,
      zkClient: settings.zkClient,
      tls: settings.tls,
    },
  );
}

/** Creates a znode and what is missing above it, all of it open to all, as zkCli would. */
export async function plant(
  client: ZooKeeperClient,
  path: string,
  data: Uint8Array | null,
  mode: CreateMode = CreateMode.Persistent,
): Promise<void> {
  const acl = [{ perms: 31, scheme: 'world', id: 'anyone' }];
  const parts = path.split('/').slice(1);
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = `/${parts.slice(0, depth).join('/')}`;
    if ((await client.exists(parent)).stat === undefined)
      await client.create({ path: parent, data: null, acl });
  }
  await client.create({ path, data, acl, mode });
}

/** The conformance suite's view of zk2 on one version of ZooKeeper, with one of the clients. */
export function zk2Subject(
  version: ZooKeeperVersion,
  zkClient: 'own' | 'native',
  expects: Subject['expects'] = {},
): Subject {
  let cluster: Cluster | undefined;
  const running = (): Cluster => {
    if (cluster === undefined) throw new Error('the server is not started');
    return cluster;
  };
  return {
    name: `zk2 on ZooKeeper ${version} with the ${zkClient} client`,
    start: async () => {
      cluster = await startZooKeeper({ version });
    },
    stop: async () => cluster?.stop(),
    // When connections break, the addon of the package can abort the whole process: not in a run of many tests.
    ...(zkClient === 'own' ? disturbances(running) : {}),
    open: (root, { servers = running().servers, ...options } = {}) =>
      openZk2(servers, root, { zkClient, ...options }),
    raw: {
      ephemeral: async (root, path, bytes) => {
        const client = await connectOwnClient({ servers: [running().servers] });
        await plant(client, `${root}/${path}`, bytes, CreateMode.Ephemeral);
        return () => client.close();
      },
      emptyDirectory: async (root, path) => {
        const client = await connectOwnClient({ servers: [running().servers] });
        await plant(client, `${root}/${path}`, null);
        await client.close();
      },
    },
    refusesName,
    expects,
  };
}

/** Ways to disturb the server, and connections to it. */
function disturbances(running: () => Cluster): Pick<Subject, 'faults' | 'servers'> {
  return {
    servers: () => running().servers,
    faults: {
      kill: () => running().kill(),
      restart: () => running().restart(),
      freeze: () => running().freeze(),
      thaw: () => running().thaw(),
    },
  };
}
