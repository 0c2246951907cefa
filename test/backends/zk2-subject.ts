import { readFile } from 'node:fs/promises';
import { backend } from '../../src/backends/zk2/index.js';
import type { ConnectSettings, TlsSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { CreateMode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import type { Subject } from '../conformance/index.js';
import {
  type Cluster,
  makeCertificates,
  removeFolder,
  startZooKeeper,
  type ZooKeeperVersion,
} from '../servers/index.js';
import { isNightly } from '../support/nightly.js';
import { RivalProcess } from './zk2-rivals.js';
import { endSession } from './zk2-session-end.js';

export type ZooKeeperCluster = Awaited<ReturnType<typeof startZooKeeper>>;

/** What a test may choose of {@link ConnectSettings}. */
interface Settings extends Pick<ConnectSettings, 'zkAuth' | 'zkClient' | 'tls' | 'lockTtlMs'> {
  readonly connectTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
}

/** From and to, by the rules of ZooKeeper's own clients. */
const REFUSED = ['\u0001\u001f', '\u007f\u009f', '\ud800\uf8ff', '\ufff0\uffff'];

export function refusesName(name: string): boolean {
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
      lockTtlMs: settings.lockTtlMs,
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
  security: 'plain' | 'tls' = 'plain',
): Subject {
  let cluster: ZooKeeperCluster | undefined;
  let tls: TlsSettings | undefined;
  const running = (): ZooKeeperCluster => {
    if (cluster === undefined) throw new Error('the server is not started');
    return cluster;
  };
  const plain = () => running().plainServers;
  const rivals = new RivalProcess(plain);
  const own = zkClient === 'own';
  return {
    name: `zk2 on ZooKeeper ${version} with the ${zkClient} client${security === 'tls' ? ' over TLS' : ''}`,
    start: async () => {
      if (security === 'plain') cluster = await startZooKeeper({ version });
      else [cluster, tls] = await startWithTls(version);
    },
    stop: async () => {
      rivals.stop();
      await cluster?.stop();
    },
    // When connections break, the addon of the package can abort the whole process: not in a run of many tests.
    ...(own ? disturbances(running) : {}),
    open: (root, { servers = running().servers, ...options } = {}) =>
      openZk2(servers, root, { zkClient, tls, ...options }),
    raw: {
      ...rawAccess(plain),
      rivals: own ? rivals.rivals : undefined,
      // 20,000 records through the addon take most of a minute.
      ...(own ? {} : { planter: (root) => openZk2(running().servers, root) }),
    },
    refusesName,
    // A scan of ten times as many takes the addon some ten seconds.
    ...(own || isNightly ? {} : { many: 2_000 }),
  };
}

/** A server whose port for clients speaks TLS and wants a certificate, and what clients need for it. */
async function startWithTls(version: ZooKeeperVersion): Promise<[ZooKeeperCluster, TlsSettings]> {
  const { folder, ...files } = await makeCertificates();
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((path) => readFile(path)));
  const cluster = await startZooKeeper({ version, tls: { ...files, clientCertificates: true } });
  const stop = async () => {
    await cluster.stop();
    await removeFolder(folder);
  };
  return [
    { ...cluster, stop },
    { ca, cert, key },
  ];
}

type Raw = NonNullable<Subject['raw']>;
type Planting = Raw & Required<Pick<Raw, 'ephemeral' | 'emptyDirectory' | 'orphan'>>;

/** What the suite does behind the backend's back, at the servers' ports without TLS. */
export function rawAccess(servers: () => string): Planting {
  const plantAt = async (path: string, data: Uint8Array | null, mode?: CreateMode) => {
    const client = await connectOwnClient({ servers: [servers()] });
    await plant(client, path, data, mode);
    return client;
  };
  return {
    ephemeral: async (root, path, bytes) => {
      const client = await plantAt(`${root}/${path}`, bytes, CreateMode.Ephemeral);
      return () => client.close();
    },
    emptyDirectory: async (root, path) => (await plantAt(`${root}/${path}`, null)).close(),
    endOwner: (owner) => endSession(servers(), BigInt(owner)),
    orphan: async (root, dir, contents) => {
      const path = `${root}/${dir}/locks/`;
      const client = await plantAt(path, Buffer.from(contents), CreateMode.PersistentSequential);
      await client.close();
    },
  };
}

/** Ways to disturb the server, and connections to it. */
export function disturbances(running: () => Cluster): Pick<Subject, 'faults' | 'servers'> {
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
