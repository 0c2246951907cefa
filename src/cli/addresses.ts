import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { addressFromTriple, type Implementation, parseAddress, type StoreAddress } from '../topo/address.js';
import type { ConnectSettings, TlsSettings } from '../topo/backend.js';
import { systemClock } from '../topo/clock.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { type Flags, shown, text, usage } from './flags.js';

/** Which topology a set of flags is about: the only one (`''`), the source, or the destination. */
export type Side = 'from' | 'to' | '';

const SIDES: Readonly<Record<Side, string>> = {
  from: 'the source',
  to: 'the destination',
  '': 'the topology',
};

/** Adds the flags that say where a topology is and how to log in, with Vitess's names, prefixed for two topologies. */
export function addressFlags(yargs: Argv, side: Side): Argv {
  const which = SIDES[side];
  const text = (description: string) =>
    ({ type: 'string', describe: description, requiresArg: true }) as const;
  const named = side === '' ? TRIPLE_FLAGS.plain : TRIPLE_FLAGS.sided(side);
  let flags: Argv = yargs
    .option(named.implementation, text(`implementation of ${which}: zk2, etcd2, file, memory`))
    .option(named.server, text(`server address of ${which}, as Vitess writes it`))
    .option(named.root, text(`global root of ${which}`))
    .option(
      flag(side, 'topo-etcd-tls-ca'),
      text('PEM file of the CA that signed the etcd servers’ certificates'),
    )
    .option(flag(side, 'topo-etcd-tls-cert'), text('PEM file of our certificate for etcd'))
    .option(flag(side, 'topo-etcd-tls-key'), text('PEM file of our key for etcd'))
    .option(flag(side, 'topo-etcd-username'), text('etcd user'))
    .option(
      flag(side, 'topo-etcd-password-file'),
      text(`file with the etcd password (or ${passwordVariable(side)})`),
    )
    .option(
      flag(side, 'topo-zk-auth-file'),
      text('file with <scheme>:<auth> for ZooKeeper, for instance digest:user:password'),
    );
  if (side !== '')
    flags = flags.option(side, text(`address of ${which}, for example zk2://h1:2181,h2:2181/vitess/global`));
  if (side !== 'to') {
    flags = flags.option(side === '' ? 'cell-address' : 'from-cell', {
      ...text(`CELL=SERVER,ROOT: reach a cell of ${which} there, whatever its CellInfo says (repeatable)`),
      array: true,
      nargs: 1,
    });
  }
  return flags;
}

const TRIPLE_FLAGS = {
  plain: {
    implementation: 'topo-implementation',
    server: 'topo-global-server-address',
    root: 'topo-global-root',
  },
  sided: (side: Side) => ({
    implementation: `${side}-implementation`,
    server: `${side}-server`,
    root: `${side}-root`,
  }),
};

/** The global address of a side, from a word, its URL flag or Vitess's triple. Usage unless it is exactly one of them. */
export function addressOf(flags: Flags, side: Side, word: string | undefined): StoreAddress {
  const named = side === '' ? TRIPLE_FLAGS.plain : TRIPLE_FLAGS.sided(side);
  const triple = [named.implementation, named.server, named.root].map((name) => text(flags, name));
  const url = side === '' ? undefined : text(flags, side);
  if (word !== undefined && url !== undefined) throw usage(`give ${shown(word)} or --${side} …, not both`);
  const given = word ?? url;
  if (given !== undefined) {
    if (triple.some((part) => part !== undefined)) {
      throw usage(`give ${shown(given)} or --${named.implementation} …, not both`);
    }
    return parseAddress(given);
  }
  const [implementation, server, root] = triple;
  if (implementation === undefined || server === undefined || root === undefined) {
    throw usage(
      `${SIDES[side]} is not given`,
      `give ${side === '' ? 'ADDRESS' : `--${side} ADDRESS`}, or --${named.implementation}, --${named.server} and --${named.root}`,
    );
  }
  return addressFromTriple(implementation, server, root);
}

/** Reads `CELL=SERVER,ROOT` values; the root is what follows the last comma. Cells use the global store's implementation. */
export function cellAddresses(
  values: readonly string[],
  global: StoreAddress,
  flagName: string,
): Map<string, StoreAddress> {
  const cells = new Map<string, StoreAddress>();
  for (const value of values) {
    const match = /^([^=/,]+)=(.+),([^,]+)$/.exec(value);
    const [, cell, server, root] = match ?? [];
    if (cell === undefined || server === undefined || root === undefined) {
      throw usage(
        `--${flagName} ${shown(value)} is not CELL=SERVER,ROOT`,
        'for example zone1=h1:2181,h2:2181,/vitess/zone1',
      );
    }
    if (cells.has(cell)) throw usage(`--${flagName} is given twice for cell ${shown(cell)}`);
    cells.set(cell, addressFromTriple(global.implementation, server, root));
  }
  return cells;
}

/**
 * How to connect to a side. Secrets are read from files or the environment here, and nowhere else. Usage when a flag is
 * about another product than the side's.
 */
export function connectSettings(
  flags: Flags,
  side: Side,
  env: Readonly<Record<string, string | undefined>>,
  implementation: Implementation,
): ConnectSettings {
  checkProduct(flags, side, implementation);
  const timeoutMs = Number(flags['timeout'] ?? 15) * 1000;
  const zkAuth = text(flags, flag(side, 'topo-zk-auth-file'));
  return {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: Math.min(timeoutMs, 10_000),
    requestTimeoutMs: timeoutMs,
    tls: tlsSettings(flags, side),
    etcdAuth: etcdAuth(flags, side, env),
    zkAuth: zkAuth === undefined ? undefined : secretFile(zkAuth),
    zkClient: flags['zk-client'] === 'native' ? 'native' : 'own',
  };
}

/** Flags that log in to one product only. */
const PRODUCT_FLAGS: readonly {
  readonly names: readonly string[];
  readonly of: readonly Implementation[];
}[] = [
  {
    names: [
      'topo-etcd-tls-ca',
      'topo-etcd-tls-cert',
      'topo-etcd-tls-key',
      'topo-etcd-username',
      'topo-etcd-password-file',
    ],
    of: ['etcd2', 'etcd'],
  },
  { names: ['topo-zk-auth-file'], of: ['zk2', 'zookeeper'] },
];

function checkProduct(flags: Flags, side: Side, implementation: Implementation): void {
  for (const { names, of } of PRODUCT_FLAGS) {
    const given = names.map((name) => flag(side, name)).find((name) => flags[name] !== undefined);
    if (given !== undefined && !of.includes(implementation))
      throw usage(`--${given} is for ${of[0]}, and ${SIDES[side]} is ${implementation}`);
  }
}

function tlsSettings(flags: Flags, side: Side): TlsSettings | undefined {
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((part) =>
    text(flags, flag(side, `topo-etcd-tls-${part}`)),
  );
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    throw usage(`--${flag(side, 'topo-etcd-tls-cert')} and --${flag(side, 'topo-etcd-tls-key')} go together`);
  }
  return {
    ca: ca === undefined ? undefined : readFlagFile(ca),
    cert: cert === undefined ? undefined : readFlagFile(cert),
    key: key === undefined ? undefined : readFlagFile(key),
  };
}

function etcdAuth(
  flags: Flags,
  side: Side,
  env: Readonly<Record<string, string | undefined>>,
): ConnectSettings['etcdAuth'] {
  const username = text(flags, flag(side, 'topo-etcd-username'));
  const file = text(flags, flag(side, 'topo-etcd-password-file'));
  if (username === undefined) {
    if (file !== undefined)
      throw usage(`--${flag(side, 'topo-etcd-password-file')} needs --${flag(side, 'topo-etcd-username')}`);
    return undefined;
  }
  const password = file === undefined ? env[passwordVariable(side)] : secretFile(file);
  if (password === undefined) {
    throw usage(
      `no password for etcd user ${username}`,
      `give --${flag(side, 'topo-etcd-password-file')} FILE or set ${passwordVariable(side)}`,
    );
  }
  return { username, password };
}

function secretFile(file: string): string {
  const secret = readFlagFile(file)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret === '') throw usage(`the file ${file} is empty`);
  return secret;
}

function readFlagFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TopologyError(
      ErrorCode.Usage,
      `the file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`,
      {
        hint: 'check its name and permissions',
        cause: error,
      },
    );
  }
}

function flag(side: Side, name: string): string {
  return side === '' ? name : `${side}-${name}`;
}

function passwordVariable(side: Side): string {
  return side === '' ? 'TOPO2TOPO_ETCD_PASSWORD' : `TOPO2TOPO_${side.toUpperCase()}_ETCD_PASSWORD`;
}
