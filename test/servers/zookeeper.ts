import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { closingWay, slowWay } from './behind.js';
import { type Cluster, type MemberPlan, startCluster } from './cluster.js';
import type { FaultWay } from './fault-proxy.js';
import { java } from './java.js';
import { type BundleName, bundle } from './packages.js';
import { freePorts } from './ports.js';
import { upstream } from './versions.js';

/** The releases of ZooKeeper that can be started. */
export const ZOOKEEPER_VERSIONS = ['3.4', '3.8', '3.9'] as const;
export type ZooKeeperVersion = (typeof ZOOKEEPER_VERSIONS)[number];

export const ZOOKEEPER_BUNDLES = {
  '3.4': 'bullseye',
  '3.8': 'bookworm',
  '3.9': 'trixie',
} as const satisfies Record<ZooKeeperVersion, BundleName>;

/** Paths of PEM files. */
interface ZooKeeperTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Whether clients have to show a certificate of the same authority. Default false. */
  readonly clientCertificates?: boolean;
}

export interface ZooKeeperOptions {
  readonly version: ZooKeeperVersion;
  /** Default 1. */
  readonly members?: 1 | 3;
  /** Further members, after the others, that do not vote. On 3.4 only with three that do. Default 0. */
  readonly observers?: number;
  /** Milliseconds by which observers are behind: so much later than the others they hear of anything. Default 0. */
  readonly behindMs?: number;
  /** Each member has a port that speaks TLS as well: that is then its address. Not on 3.4. */
  readonly tls?: ZooKeeperTls;
  /** Further lines of zoo.cfg. */
  readonly config?: Readonly<Record<string, string>>;
  /** In place of the flags that make a small JVM start fast. */
  readonly javaFlags?: readonly string[];
  /** Whether writes reach the disk before they are answered, as in production. Default false: tests are faster. */
  readonly fsync?: boolean;
}

const JAVA_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

const PROPERTIES = [
  // A member that is alone asks for a leader less and less often, by default down to once a minute.
  '-Dzookeeper.fastleader.maxNotificationInterval=2000',
  '-Djava.net.preferIPv4Stack=true',
  '-Dzookeeper.admin.enableServer=false',
  '-Dzookeeper.extendedTypesEnabled=true',
  '-Dzookeeper.jmx.log4j.disable=true',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  // Each question of a test to a server would be a line of its log.
  ...['NIOServerCnxn', 'NIOServerCnxnFactory', 'NettyServerCnxn'].map(
    (name) => `-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.${name}=warn`,
  ),
];

const JARS = [
  'zookeeper',
  'zookeeper-jute',
  'slf4j-api',
  'slf4j-simple',
  'log4j-1.2',
  'metrics-core',
  'snappy-java',
  'commons-cli',
  'commons-io',
  'netty-all',
  'netty-buffer',
  'netty-codec',
  'netty-common',
  'netty-handler',
  'netty-resolver',
  'netty-transport',
  'netty-transport-native-epoll',
  'netty-transport-native-unix-common',
  'jackson-core',
  'jackson-databind',
  'jackson-annotations',
];

/**
 * Sends one of ZooKeeper's four-letter commands (`srvr`, `mntr`, `ruok`...) and gives the whole answer.
 *
 * @throws Error when nothing listens, or no answer comes within a second
 */
export function fourLetterWord(address: string, word: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host ?? '', port: Number(port), timeout: 1_000 });
    let answer = '';
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8');
    });
    socket.on('timeout', () => socket.destroy(new Error(`${address} did not answer ${word}`)));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Whether somebody takes connections there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const tell = (is: boolean) => (): void => {
      socket.destroy();
      resolve(is);
    };
    socket.on('connect', tell(true));
    socket.on('timeout', tell(false));
    socket.on('error', tell(false));
  });
}

/** Lines of zoo.cfg for a second port that speaks TLS. Only Netty does; it takes key and certificate in one file. */
async function secureConfig(cwd: string, port: number, tls: ZooKeeperTls): Promise<Record<string, string>> {
  const identity = join(cwd, 'identity.pem');
  await writeFile(identity, `${await readFile(tls.key, 'utf8')}${await readFile(tls.cert, 'utf8')}`);
  return {
    serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
    secureClientPort: String(port),
    secureClientPortAddress: '127.0.0.1',
    'ssl.keyStore.location': identity,
    'ssl.keyStore.type': 'PEM',
    'ssl.trustStore.location': tls.ca,
    'ssl.trustStore.type': 'PEM',
    'ssl.clientAuth': tls.clientCertificates === true ? 'need' : 'none',
  };
}

/** A server of ZooKeeper, and its port without TLS: the same as that of its address where that has none either. */
interface ZooKeeperCluster extends Cluster {
  /** The members' `host:port` without TLS, separated by commas. Four-letter commands go there. */
  readonly plainServers: string;
}

/**
 * Starts ZooKeeper and waits until it serves. Every four-letter command is allowed, TTL nodes too.
 *
 * @throws Error when the version cannot be had on this machine, or does not start
 */
export async function startZooKeeper(options: ZooKeeperOptions): Promise<ZooKeeperCluster> {
  const { root, versions } = await bundle(ZOOKEEPER_BUNDLES[options.version]);
  const command = await java();
  const jars = JARS.map((jar) => join(root, 'usr/share/java', `${jar}.jar`)).filter((jar) => existsSync(jar));
  const args = [
    ...PROPERTIES,
    ...(options.javaFlags ?? JAVA_FLAGS),
    '-cp',
    jars.join(':'),
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
  ];

  const { tls } = options;
  let plainServers = '';
  let way: FaultWay | undefined;

  const plan = async (folder: string): Promise<MemberPlan[]> => {
    const voters = options.members ?? 1;
    const count = voters + (options.observers ?? 0);
    const clientPorts = await freePorts(count);
    const securePorts = tls === undefined ? clientPorts : await freePorts(count);
    plainServers = clientPorts.map((port) => `127.0.0.1:${port}`).join(',');
    const peerPorts = await freePorts(count);
    const electionPorts = await freePorts(count);
    const peers = peerPorts.map((port) => `127.0.0.1:${port}`);
    if (options.behindMs !== undefined) way = await slowWay(peers, options.behindMs);
    const slow = way?.proxies.map(({ address }) => address) ?? peers;
    const quorum = (addresses: readonly string[]) =>
      Object.fromEntries(
        addresses.map((address, i) => [
          `server.${i + 1}`,
          `${address}:${electionPorts[i]}${i < voters ? '' : ':observer'}`,
        ]),
      );
    return Promise.all(
      clientPorts.map(async (clientPort, i) => {
        const cwd = join(folder, `member${i + 1}`);
        const dataDir = join(cwd, 'data');
        await mkdir(dataDir, { recursive: true });
        await writeFile(join(dataDir, 'myid'), `${i + 1}\n`);
        const config = {
          tickTime: '2000',
          initLimit: '10',
          syncLimit: '5',
          dataDir,
          clientPort: String(clientPort),
          clientPortAddress: '127.0.0.1',
          maxClientCnxns: '0',
          'admin.enableServer': 'false',
          '4lw.commands.whitelist': '*',
          ...(options.fsync === true ? {} : { forceSync: 'no' }),
          ...(count === 1 ? {} : quorum(i < voters ? peers : slow)),
          ...(i < voters ? {} : { peerType: 'observer' }),
          ...(voters === 1 && count > 1 ? { standaloneEnabled: 'false' } : {}),
          ...(tls === undefined ? {} : await secureConfig(cwd, securePorts[i] ?? 0, tls)),
          ...options.config,
        };
        const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`);
        await writeFile(join(cwd, 'zoo.cfg'), lines.join(''));
        const plain = `127.0.0.1:${clientPort}`;
        return {
          name: `ZooKeeper ${options.version} (member ${i + 1})`,
          address: `127.0.0.1:${securePorts[i]}`,
          command: { command, args: [...args, join(cwd, 'zoo.cfg')], cwd, log: join(cwd, 'log') },
          // A server serves at its port without TLS before it listens at the other one.
          ready: async () =>
            (await fourLetterWord(plain, 'srvr')).includes('Mode:') &&
            (tls === undefined || (await listens(securePorts[i] ?? 0))),
          status: async () =>
            (await fourLetterWord(plain, 'srvr')) || 'it closed the connection without an answer',
        };
      }),
    );
  };
  const starting = startCluster('zookeeper', upstream(versions['zookeeper']), plan);
  return { ...(await closingWay(starting, () => way)), plainServers };
}
