import type { StoreAddress } from '../topo/address.js';
import type { ConnectSettings, TlsSettings } from '../topo/backend.js';
import { systemClock } from '../topo/clock.js';
import { consulLogin } from './consul-login.js';
import { parseDuration } from './durations.js';
import { secretFile } from './files.js';
import { type Flags, text, usage } from './flags.js';
import type { Env } from './io.js';
import { tlsOfFiles } from './pem.js';
import {
  checkProduct,
  type Product,
  productOf,
  type Side,
  secretVariable,
  sideFlag,
  TYPE_NUMBERS,
} from './side-flags.js';

/** How to connect to the stores of one side. */
export interface SideSettings extends ConnectSettings {
  /** Consul's ACL tokens by scope; a scope that is not named has `consulToken`. */
  readonly consulTokens?: ReadonlyMap<string, string> | undefined;
}

/**
 * How to connect to a side. Secrets are read from files or the environment here, and nowhere else. Usage when a flag is
 * about another product than the side's.
 */
export function connectSettings(flags: Flags, side: Side, env: Env, address: StoreAddress): SideSettings {
  checkProduct(flags, side, address.implementation);
  const timeoutMs = Number(flags['timeout'] ?? 15) * 1000;
  return {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: Math.min(timeoutMs, 10_000),
    requestTimeoutMs: timeoutMs,
    flagPrefix: sideFlag(side, ''),
    zkClient: zkClient(flags),
    typeNumbers: typeNumbers(flags, side, address),
    ...productSettings(flags, side, env, address),
  };
}

function zkClient(flags: Flags): ConnectSettings['zkClient'] {
  const given = text(flags, 'zk-client');
  if (given === 'native' || given === 'own') return given;
  // While a source stands still, what reads faster counts.
  return flags['freeze'] === true ? 'own' : undefined;
}

function typeNumbers(
  flags: Flags,
  side: Side,
  { implementation }: StoreAddress,
): ConnectSettings['typeNumbers'] {
  const flag = sideFlag(side, TYPE_NUMBERS);
  const given = text(flags, flag);
  if (given === undefined) return undefined;
  if (implementation === 'zookeeper' || implementation === 'etcd')
    return given === 'first' ? 'first' : 'current';
  throw usage(`--${flag} is about zookeeper and etcd, the retired formats, and ${implementation} is none`);
}

function productSettings(flags: Flags, side: Side, env: Env, address: StoreAddress): Partial<SideSettings> {
  const product = productOf(address.implementation);
  if (product === undefined) return {};
  const tls = tlsSettings(flags, side, product);
  const duration = (name: string) => {
    const flag = sideFlag(side, name);
    const given = text(flags, flag);
    return given === undefined ? undefined : parseDuration(given, `--${flag}`);
  };
  switch (product) {
    case 'etcd':
      return { tls, etcdAuth: etcdAuth(flags, side, env), lockTtlMs: duration('topo-etcd-lease-ttl') };
    case 'zk':
      return {
        tls,
        zkAuth: zkAuth(flags, side, env),
        lockTtlMs: duration('topo-zk-base-timeout'),
        zkMaxRequestBytes: maxbuffer(flags, side),
      };
    case 'consul':
      return {
        ...consulLogin(flags, side, env, address, tls),
        lockTtlMs: duration('topo-consul-lock-session-ttl'),
        lockDelayMs: duration('topo-consul-lock-delay'),
        watchPollMs: watchPoll(duration('topo-consul-watch-poll-duration'), side),
      };
  }
}

/** Less leaves a transaction no room; more is no length of ZooKeeper's protocol. */
const MIN_MAXBUFFER = 524_288;
const MAX_MAXBUFFER = 2 ** 31 - 1;

function maxbuffer(flags: Flags, side: Side): number | undefined {
  const flag = sideFlag(side, 'topo-zk-jute-maxbuffer');
  const given = text(flags, flag);
  if (given === undefined) return undefined;
  const bytes = /^\d+$/.test(given) ? Number(given) : 0;
  if (bytes >= MIN_MAXBUFFER && bytes <= MAX_MAXBUFFER) return bytes;
  throw usage(
    `--${flag} is a number of bytes from ${MIN_MAXBUFFER} to ${MAX_MAXBUFFER}`,
    'write what the servers have as -Djute.maxbuffer, which may be written there in hexadecimal: 0xfffff is 1048575',
  );
}

/** Consul's longest wait. */
const MAX_POLL_MS = 600_000;

function watchPoll(ms: number | undefined, side: Side): number | undefined {
  if (ms === undefined || ms <= MAX_POLL_MS) return ms;
  throw usage(`--${sideFlag(side, 'topo-consul-watch-poll-duration')} is at most 10m`);
}

function tlsSettings(flags: Flags, side: Side, product: Product): TlsSettings | undefined {
  const named = (part: string) => sideFlag(side, `topo-${product}-tls-${part}`);
  const [ca, cert, key, serverName] = ['ca', 'cert', 'key', 'server-name'].map((part) =>
    text(flags, named(part)),
  );
  // What a migration file says that gives none of the three.
  const withSystemCas = flags[sideFlag(side, SYSTEM_CAS)] === true;
  if (ca === undefined && cert === undefined && key === undefined && serverName === undefined)
    return withSystemCas ? {} : undefined;
  if ((cert === undefined) !== (key === undefined))
    throw usage(`--${named('cert')} and --${named('key')} go together`);
  return tlsOfFiles({ ca, cert, key }, serverName);
}

/** Not a flag of any command: TLS that trusts what this machine trusts, as a migration file can ask for. */
export const SYSTEM_CAS = 'topo-tls-system-cas';

function etcdAuth(flags: Flags, side: Side, env: Env): ConnectSettings['etcdAuth'] {
  const username = text(flags, sideFlag(side, 'topo-etcd-username'));
  const fileFlag = sideFlag(side, 'topo-etcd-password-file');
  const file = text(flags, fileFlag);
  if (username === undefined) {
    if (file === undefined) return undefined;
    throw usage(`--${fileFlag} needs --${sideFlag(side, 'topo-etcd-username')}`);
  }
  const variable = secretVariable(side, 'ETCD_PASSWORD');
  const password = file === undefined ? env[variable] : secretFile(file);
  if (password !== undefined && password !== '') return { username, password };
  throw usage(`no password for etcd user ${username}`, `give --${fileFlag} FILE or set ${variable}`);
}

function zkAuth(flags: Flags, side: Side, env: Env): string | undefined {
  const file = text(flags, sideFlag(side, 'topo-zk-auth-file'));
  if (file !== undefined) return secretFile(file);
  const given = env[secretVariable(side, 'ZK_AUTH')];
  return given === '' ? undefined : given;
}
