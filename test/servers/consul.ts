import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, type MemberPlan, startCluster } from './cluster.js';
import { type BundleName, bundle } from './packages.js';
import { freePorts } from './ports.js';
import { upstream } from './versions.js';

/** The releases of Consul that can be started. */
export const CONSUL_VERSIONS = ['1.8'] as const;
export type ConsulVersion = (typeof CONSUL_VERSIONS)[number];

export const CONSUL_BUNDLES = { '1.8': 'bullseye' } as const satisfies Record<ConsulVersion, BundleName>;

export interface ConsulOptions {
  readonly version: ConsulVersion;
  /** Further flags of `consul agent`. */
  readonly flags?: readonly string[];
}

export interface ConsulCluster extends Cluster {
  /** The HTTP API's URLs. */
  readonly endpoints: readonly string[];
}

/**
 * Starts one Consul server and waits until it is its own leader.
 *
 * @throws Error when the version cannot be had on this machine, or does not start
 */
export async function startConsul(options: ConsulOptions): Promise<ConsulCluster> {
  const { root, versions } = await bundle(CONSUL_BUNDLES[options.version]);
  const plan = async (folder: string): Promise<MemberPlan[]> => {
    const [http, server, serf, wan] = await freePorts(4);
    const cwd = join(folder, 'n1');
    await mkdir(cwd);
    const address = `127.0.0.1:${http}`;
    const flags = {
      '-node': 'n1',
      '-data-dir': join(cwd, 'data'),
      '-bind': '127.0.0.1',
      '-advertise': '127.0.0.1',
      '-client': '127.0.0.1',
      '-http-port': String(http),
      '-server-port': String(server),
      '-serf-lan-port': String(serf),
      '-serf-wan-port': String(wan),
      '-dns-port': '-1',
      '-log-level': 'warn',
      // raft's timeouts as long as -dev has them: a lone server need not wait for others to stand for election
      '-hcl': 'performance { raft_multiplier = 1 }',
    };
    const args = ['agent', '-server', '-bootstrap', '-ui=false', ...Object.entries(flags).flat()];
    return [
      {
        name: `Consul ${options.version} (n1)`,
        address,
        command: {
          command: join(root, 'usr/bin/consul'),
          args: [...args, ...(options.flags ?? [])],
          cwd,
          log: join(cwd, 'log'),
        },
        ready: async () => {
          const signal = AbortSignal.timeout(1_000);
          const reply = await fetch(`http://${address}/v1/status/leader`, { signal });
          return (await reply.text()).includes(':');
        },
      },
    ];
  };
  const started = await startCluster('consul', upstream(versions['consul']), plan);
  return { ...started, endpoints: started.members.map((member) => `http://${member.address}`) };
}
