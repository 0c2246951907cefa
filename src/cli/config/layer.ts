import { addressFlags } from '../addresses.js';
import { type Flags, usage } from '../flags.js';
import type { Env } from '../io.js';
import { SYSTEM_CAS } from '../login.js';
import { cellFlag, type Product, type Side, secretVariable, sideFlag } from '../side-flags.js';
import type { Config, SideConfig, TimeName, TlsPart } from './read.js';

/** What a side of a migration file says, as flags and as the variables of its secrets. */
interface SideSettings {
  readonly flags: Flags;
  readonly env: Env;
}

/** A side of a migration file, for the side of a command. `chosen`: for a command about one topology, which of the two. */
export function sideSettings(config: Config, side: Side, chosen: string | undefined): SideSettings {
  const found = side === '' ? oneOf(config, chosen) : config[side];
  if (found === undefined) return { flags: {}, env: {} };
  const { authFile, juteMaxbuffer } = found;
  const cells = [...found.cells].map(([cell, { server, root }]) => `${cell}=${server},${root}`);
  return {
    flags: {
      ...addressFlags(found.address, side),
      ...(side === 'to' && config.cellRoot !== undefined ? { 'to-cell-root': config.cellRoot } : {}),
      ...(cells.length === 0 ? {} : { [cellFlag(side)]: cells }),
      ...tlsFlags(found, side),
      ...timeFlags(found, side),
      ...(juteMaxbuffer === undefined ? {} : { [sideFlag(side, 'topo-zk-jute-maxbuffer')]: juteMaxbuffer }),
      ...(authFile === undefined || found.product === undefined
        ? {}
        : { [sideFlag(side, AUTH_FILES[found.product])]: authFile }),
      ...(found.product === 'etcd' && found.user !== undefined
        ? { [sideFlag(side, 'topo-etcd-username')]: found.user.username }
        : {}),
    },
    env: secrets(found, side),
  };
}

function oneOf(config: Config, chosen: string | undefined): SideConfig | undefined {
  if (chosen === undefined && config.from !== undefined && config.to !== undefined)
    throw usage(`${config.file} has two sides`, 'say which one with --side from or --side to');
  if (chosen === undefined) return config.from ?? config.to;
  const found = chosen === 'from' ? config.from : config.to;
  if (found === undefined) throw usage(`${config.file} has no ${chosen}`);
  return found;
}

const AUTH_FILES: Readonly<Record<Product, string>> = {
  // etcd's login has a name and is not in one file; reading a migration file refuses one.
  etcd: 'topo-etcd-password-file',
  zk: 'topo-zk-auth-file',
  consul: 'consul-auth-static-file',
};

const TLS_FLAGS: readonly (readonly [TlsPart, string])[] = [
  ['ca', 'ca'],
  ['cert', 'cert'],
  ['key', 'key'],
  ['serverName', 'server-name'],
];

function tlsFlags({ tls, product }: SideConfig, side: Side): Flags {
  if (tls === undefined || product === undefined) return {};
  const flags: Record<string, unknown> = { [sideFlag(side, SYSTEM_CAS)]: true };
  for (const [part, flag] of TLS_FLAGS)
    if (tls[part] !== undefined) flags[sideFlag(side, `topo-${product}-tls-${flag}`)] = tls[part];
  return flags;
}

const TIME_FLAGS: Readonly<Record<Product, Readonly<Partial<Record<TimeName, string>>>>> = {
  etcd: { lockTtl: 'topo-etcd-lease-ttl' },
  zk: { lockTtl: 'topo-zk-base-timeout' },
  consul: {
    lockTtl: 'topo-consul-lock-session-ttl',
    lockDelay: 'topo-consul-lock-delay',
    watchPoll: 'topo-consul-watch-poll-duration',
  },
};

function timeFlags({ times, product }: SideConfig, side: Side): Flags {
  if (product === undefined) return {};
  const names = Object.entries(TIME_FLAGS[product]);
  return Object.fromEntries(
    names.flatMap(([time, flag]) => {
      const value = Object.entries(times).find(([name]) => name === time)?.[1];
      return value === undefined ? [] : [[sideFlag(side, flag), value]];
    }),
  );
}

function secrets({ product, user, token, tokens }: SideConfig, side: Side): Env {
  const env: Record<string, string> = {};
  if (user !== undefined && product === 'etcd')
    env[secretVariable(side, 'ETCD_PASSWORD')] = user.password.value;
  if (user !== undefined && product === 'zk')
    env[secretVariable(side, 'ZK_AUTH')] = `digest:${user.username}:${user.password.value}`;
  if (token !== undefined) env[secretVariable(side, 'CONSUL_TOKEN')] = token.value;
  if (tokens.size > 0) {
    const byScope = [...tokens].map(([scope, { value }]) => [scope, { acl_token: value }]);
    env[secretVariable(side, 'CONSUL_AUTH')] = JSON.stringify(Object.fromEntries(byScope));
  }
  return env;
}
