import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, type MemberPlan, startCluster } from './cluster.js';
import { withoutWaiting } from './memory.js';
import { type BundleName, bundle } from './packages.js';
import { freePorts } from './ports.js';
import { upstream } from './versions.js';

/** The releases of Consul that can be started. */
export const CONSUL_VERSIONS = ['1.8'] as const;
export type ConsulVersion = (typeof CONSUL_VERSIONS)[number];

export const CONSUL_BUNDLES = { '1.8': 'bullseye' } as const satisfies Record<ConsulVersion, BundleName>;

/** Paths of PEM files. */
export interface ConsulTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Whether clients have to show a certificate of the same authority. Default false. */
  readonly clientCertificates?: boolean;
}

export interface ConsulOptions {
  readonly version: ConsulVersion;
  /** Servers, each its own agent. Default 1. */
  readonly members?: 1 | 3;
  /** Further flags of `consul agent`. */
  readonly flags?: readonly string[];
  /** Clients have to use TLS; the endpoints are then https. */
  readonly tls?: ConsulTls;
  /** Nothing is allowed without a token; this one, a UUID, is allowed everything. */
  readonly acl?: { readonly managementToken: string };
  /** Whether writes reach the disk before they are answered, as in production. Default false: tests are faster. */
  readonly fsync?: boolean;
}

export interface ConsulCluster extends Cluster {
  /** The HTTP API's URLs, as clients are to use it. */
  readonly endpoints: readonly string[];
  /** The HTTP API's URLs without TLS, for the tests themselves. */
  readonly apis: readonly string[];
}

/**
 * Starts Consul and waits until it has a leader, and knows the management token where there is one.
 *
 * @throws Error when the version cannot be had on this machine, or does not start
 */
export async function startConsul(options: ConsulOptions): Promise<ConsulCluster> {
  const { root, versions } = await bundle(CONSUL_BUNDLES[options.version]);
  const { tls, acl } = options;
  let apis: string[] = [];
  const plan = async (folder: string): Promise<MemberPlan[]> => {
    const count = options.members ?? 1;
    const httpPorts = await freePorts(count);
    const httpsPorts = tls === undefined ? [] : await freePorts(count);
    const serverPorts = await freePorts(count);
    const lanPorts = await freePorts(count);
    const wanPorts = await freePorts(count);
    apis = httpPorts.map((port) => `http://127.0.0.1:${port}`);
    return Promise.all(
      apis.map(async (api, i) => {
        const name = `n${i + 1}`;
        const cwd = join(folder, name);
        await mkdir(cwd);
        const flags = {
          '-node': name,
          '-data-dir': join(cwd, 'data'),
          '-bind': '127.0.0.1',
          '-advertise': '127.0.0.1',
          '-client': '127.0.0.1',
          '-http-port': String(httpPorts[i]),
          '-server-port': String(serverPorts[i]),
          '-serf-lan-port': String(lanPorts[i]),
          '-serf-wan-port': String(wanPorts[i]),
          '-dns-port': '-1',
          '-log-level': 'warn',
          '-hcl': JSON.stringify(settings(httpsPorts[i], options)),
        };
        const others = lanPorts.filter((_, j) => j !== i);
        const forming =
          count === 1
            ? ['-bootstrap']
            : ['-bootstrap-expect=3', ...others.flatMap((port) => ['-retry-join', `127.0.0.1:${port}`])];
        const args = ['agent', '-server', '-ui=false', ...forming, ...Object.entries(flags).flat()];
        return {
          name: `Consul ${options.version} (${name})`,
          address: `127.0.0.1:${httpsPorts[i] ?? httpPorts[i]}`,
          command: {
            command: join(root, 'usr/bin/consul'),
            args: [...args, ...(options.flags ?? [])],
            cwd,
            log: join(cwd, 'log'),
          },
          // The leader answers this itself, and only once it has caught up.
          ready: async () => {
            const headers = { 'X-Consul-Token': acl?.managementToken ?? '' };
            const signal = AbortSignal.timeout(2_000);
            const reply = await fetch(`${api}/v1/kv/ready?consistent`, { signal, headers });
            await reply.arrayBuffer();
            return reply.status === 404;
          },
          status: () => consulStatus(api, acl?.managementToken),
        };
      }),
    );
  };
  const parent = options.fsync === true ? undefined : await withoutWaiting();
  const started = await startCluster('consul', upstream(versions['consul']), plan, parent);
  const scheme = tls === undefined ? 'http' : 'https';
  return { ...started, endpoints: started.members.map(({ address }) => `${scheme}://${address}`), apis };
}

/** Whom an agent takes for the leader, and how it sees its own part. */
async function consulStatus(api: string, token = ''): Promise<string> {
  const ask = async (path: string): Promise<string> => {
    const signal = AbortSignal.timeout(1_000);
    return (await fetch(`${api}${path}`, { signal, headers: { 'X-Consul-Token': token } })).text();
  };
  const raft = /"raft":\{[^}]*\}/.exec(await ask('/v1/agent/self'))?.[0] ?? '';
  return `leader ${await ask('/v1/status/leader')}\n${raft}`;
}

/** What the command line has no flags for, as the configuration file spells it. */
function settings(httpsPort: number | undefined, { tls, acl }: ConsulOptions): object {
  return {
    // raft's timeouts as long as -dev has them: a lone server need not wait for others to stand for election
    performance: { raft_multiplier: 1 },
    ...(tls === undefined
      ? {}
      : {
          ports: { https: httpsPort },
          cert_file: tls.cert,
          key_file: tls.key,
          ca_file: tls.ca,
          verify_incoming_https: tls.clientCertificates ?? false,
        }),
    ...(acl === undefined
      ? {}
      : { acl: { enabled: true, default_policy: 'deny', tokens: { master: acl.managementToken } } }),
  };
}
