import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Cluster, type MemberPlan, startCluster } from './cluster.js';
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

export interface ZooKeeperOptions {
  readonly version: ZooKeeperVersion;
  /** Default 1. */
  readonly members?: 1 | 3;
  /** Further lines of zoo.cfg. */
  readonly config?: Readonly<Record<string, string>>;
  /** In place of the flags that make a small JVM start fast. */
  readonly javaFlags?: readonly string[];
  /** Whether writes reach the disk before they are answered, as in production. Default false: tests are faster. */
  readonly fsync?: boolean;
}

const JAVA_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

const PROPERTIES = [
  '-Djava.net.preferIPv4Stack=true',
  '-Dzookeeper.admin.enableServer=false',
  '-Dzookeeper.extendedTypesEnabled=true',
  '-Dzookeeper.jmx.log4j.disable=true',
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

/**
 * Starts ZooKeeper and waits until it serves. Every four-letter command is allowed, TTL nodes too.
 *
 * @throws Error when the version cannot be had on this machine, or does not start
 */
export async function startZooKeeper(options: ZooKeeperOptions): Promise<Cluster> {
  const { root, versions } = await bundle(ZOOKEEPER_BUNDLES[options.version]);
  const command = await java();
  const jars = JARS.map((jar) => join(root, 'usr/share/java', `${jar}.jar`)).filter((jar) => existsSync(jar));
  const args = [
    ...(options.javaFlags ?? JAVA_FLAGS),
    ...PROPERTIES,
    '-cp',
    jars.join(':'),
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
  ];

  const plan = async (folder: string): Promise<MemberPlan[]> => {
    const count = options.members ?? 1;
    const clientPorts = await freePorts(count);
    const peerPorts = await freePorts(count);
    const electionPorts = await freePorts(count);
    const quorum = clientPorts.map((_, i) => [
      `server.${i + 1}`,
      `127.0.0.1:${peerPorts[i]}:${electionPorts[i]}`,
    ]);
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
          ...(count === 1 ? {} : Object.fromEntries(quorum)),
          ...options.config,
        };
        const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`);
        await writeFile(join(cwd, 'zoo.cfg'), lines.join(''));
        const address = `127.0.0.1:${clientPort}`;
        return {
          name: `ZooKeeper ${options.version} (member ${i + 1})`,
          address,
          command: { command, args: [...args, join(cwd, 'zoo.cfg')], cwd, log: join(cwd, 'log') },
          ready: async () => (await fourLetterWord(address, 'srvr')).includes('Mode:'),
        };
      }),
    );
  };
  return startCluster('zookeeper', upstream(versions['zookeeper']), plan);
}
