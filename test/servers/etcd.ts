import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { closingWay, slowWay } from './behind.js';
import { type Cluster, type MemberPlan, startCluster } from './cluster.js';
import type { FaultWay } from './fault-proxy.js';
import { withoutWaiting } from './memory.js';
import { type BundleName, bundle } from './packages.js';
import { freePorts } from './ports.js';
import { upstream } from './versions.js';

const execute = promisify(execFile);

/** The releases of etcd that can be started. */
export const ETCD_VERSIONS = ['3.3', '3.4', '3.5'] as const;
export type EtcdVersion = (typeof ETCD_VERSIONS)[number];

export const ETCD_BUNDLES = {
  '3.3': 'bullseye',
  '3.4': 'bookworm',
  '3.5': 'trixie',
} as const satisfies Record<EtcdVersion, BundleName>;

/** Paths of PEM files. */
export interface EtcdTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Whether clients have to show a certificate of the same authority. Default false. */
  readonly clientCertificates?: boolean;
}

export interface EtcdOptions {
  readonly version: EtcdVersion;
  /** Default 1. */
  readonly members?: 1 | 3;
  /** Further flags, for example `--enable-v2`. */
  readonly flags?: readonly string[];
  /** Clients have to use TLS; the endpoints are then https. */
  readonly tls?: EtcdTls;
  /** Whether writes reach the disk before they are answered, as in production. Default false: tests are faster. */
  readonly fsync?: boolean;
  /** Milliseconds that everything takes from member to member: so much later than the leader the others know what is decided. Default 0. */
  readonly behindMs?: number;
}

export interface EtcdCluster extends Cluster {
  /** The members' URLs. */
  readonly endpoints: readonly string[];
  /** Runs etcdctl (version 3 of the API) against the cluster and gives what it printed. */
  ctl(...args: string[]): Promise<string>;
  /** Runs etcdctl's `txn` over conditions, operations, and operations where a condition fails, as it reads them. */
  txn(conditions: readonly string[], then: readonly string[], otherwise?: readonly string[]): Promise<string>;
}

/** 3.3 has no such flag. */
const UNSAFE_NO_FSYNC: Readonly<Record<EtcdVersion, readonly string[]>> = {
  '3.3': [],
  '3.4': ['--unsafe-no-fsync'],
  '3.5': ['--unsafe-no-fsync'],
};

/** What a member says of its health, of a leader and of its own leading. */
async function etcdStatus(health: string): Promise<string> {
  const ask = async (path: string): Promise<string> =>
    (await fetch(`${health}${path}`, { signal: AbortSignal.timeout(1_000) })).text();
  const metrics = (await ask('/metrics')).match(/^etcd_server_(has_leader|is_leader|proposals_pending) .*/gm);
  return [...(metrics ?? []), await ask('/health').catch(String)].join('\n');
}

/**
 * Starts etcd and waits until it is healthy.
 *
 * @throws Error when the version cannot be had on this machine, or does not start
 */
export async function startEtcd(options: EtcdOptions): Promise<EtcdCluster> {
  const { root, versions } = await bundle(ETCD_BUNDLES[options.version]);
  const { tls } = options;
  const scheme = tls === undefined ? 'http' : 'https';
  let way: FaultWay | undefined;

  const plan = async (folder: string): Promise<MemberPlan[]> => {
    const count = options.members ?? 1;
    const clientPorts = await freePorts(count);
    const peerPorts = await freePorts(count);
    const healthPorts = await freePorts(count);
    const peers = peerPorts.map((port) => `127.0.0.1:${port}`);
    if (options.behindMs !== undefined) way = await slowWay(peers, options.behindMs);
    const known = way?.proxies.map(({ address }) => address) ?? peers;
    const cluster = known.map((address, i) => `m${i + 1}=http://${address}`).join(',');
    return Promise.all(
      clientPorts.map(async (clientPort, i) => {
        const cwd = join(folder, `m${i + 1}`);
        await mkdir(cwd);
        const address = `127.0.0.1:${clientPort}`;
        const health = `http://127.0.0.1:${healthPorts[i]}`;
        const flags: Record<string, string> = {
          '--name': `m${i + 1}`,
          '--data-dir': join(cwd, 'data'),
          '--listen-client-urls': `${scheme}://${address}`,
          '--advertise-client-urls': `${scheme}://${address}`,
          '--listen-peer-urls': `http://${peers[i]}`,
          '--initial-advertise-peer-urls': `http://${known[i]}`,
          '--initial-cluster': cluster,
          '--initial-cluster-token': 'topo2topo-test',
          '--initial-cluster-state': 'new',
          '--listen-metrics-urls': health,
          '--quota-backend-bytes': String(8 * 1024 ** 3),
          ...(tls === undefined ? {} : { '--cert-file': tls.cert, '--key-file': tls.key }),
          ...(tls?.clientCertificates ? { '--trusted-ca-file': tls.ca } : {}),
        };
        const args = [
          ...Object.entries(flags).flat(),
          ...(tls?.clientCertificates ? ['--client-cert-auth'] : []),
          ...(options.fsync === true ? [] : UNSAFE_NO_FSYNC[options.version]),
          ...(options.flags ?? []),
        ];
        return {
          name: `etcd ${options.version} (member m${i + 1})`,
          address,
          command: { command: join(root, 'usr/bin/etcd'), args, cwd, log: join(cwd, 'log') },
          ready: async () => {
            const reply = await fetch(`${health}/health`, { signal: AbortSignal.timeout(1_000) });
            return /"health":\s*"true"/.test(await reply.text());
          },
          status: () => etcdStatus(health),
        };
      }),
    );
  };

  const waits = options.fsync !== true && UNSAFE_NO_FSYNC[options.version].length === 0;
  const parent = waits ? await withoutWaiting() : undefined;
  const starting = startCluster('etcd', upstream(versions['etcd-server']), plan, parent);
  const started = await closingWay(starting, () => way);
  const endpoints = started.members.map((member) => `${scheme}://${member.address}`);
  const trust = tls === undefined ? [] : ['--cacert', tls.ca, '--cert', tls.cert, '--key', tls.key];
  const ctl = async (args: readonly string[], input = ''): Promise<string> => {
    const all = ['--endpoints', endpoints.join(','), ...trust, ...args];
    const env = { ...process.env, ETCDCTL_API: '3' };
    const running = execute(join(root, 'usr/bin/etcdctl'), all, { env, maxBuffer: 1 << 28 });
    // One that fails may not read it: its exit code tells why.
    running.child.stdin?.on('error', () => {});
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  return {
    ...started,
    endpoints,
    ctl: (...args) => ctl(args),
    txn: (conditions, then, otherwise = []) =>
      ctl(['txn'], [conditions, then, otherwise].map((lines) => `${lines.join('\n')}\n\n`).join('')),
  };
}
