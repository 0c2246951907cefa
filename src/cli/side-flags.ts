import type { Implementation } from '../topo/address.js';
import { type FlagSpec, textFlag } from './command.js';
import { type Flags, usage } from './flags.js';
import { ALLOW_STALE_READS } from './switches.js';

/** Which topology a set of flags is about: the only one (`''`), the source, or the destination. */
export type Side = 'from' | 'to' | '';

/** A side in words. */
export const SIDES: Readonly<Record<Side, string>> = {
  from: 'the source',
  to: 'the destination',
  '': 'the topology',
};

/** Stores that one logs in to, as flags name them. */
const PRODUCTS = {
  etcd: { names: ['etcd2', 'etcd'], title: 'etcd' },
  zk: { names: ['zk2', 'zookeeper'], title: 'ZooKeeper' },
  consul: { names: ['consul'], title: 'Consul' },
} as const satisfies Readonly<Record<string, { names: readonly Implementation[]; title: string }>>;
export type Product = keyof typeof PRODUCTS;

/** The product of an implementation; undefined where there is nothing to log in to. */
export function productOf(implementation: Implementation): Product | undefined {
  return PRODUCT_NAMES.find((product) => namesOf(product).includes(implementation));
}

const PRODUCT_NAMES = ['consul', 'etcd', 'zk'] as const satisfies readonly Product[];

function namesOf(product: Product): readonly Implementation[] {
  return PRODUCTS[product].names;
}

/** A name of a flag for one side. */
export function sideFlag(side: Side, name: string): string {
  return side === '' ? name : `${side}-${name}`;
}

/** Flags of Vitess's triple, for one side. */
export function tripleFlags(side: Side): { implementation: string; server: string; root: string } {
  if (side !== '')
    return { implementation: `${side}-implementation`, server: `${side}-server`, root: `${side}-root` };
  return {
    implementation: 'topo-implementation',
    server: 'topo-global-server-address',
    root: 'topo-global-root',
  };
}

/** The flag that says where cells of a side are. */
export function cellFlag(side: Side): 'from-cell' | 'to-cell' | 'cell-address' {
  return side === '' ? 'cell-address' : `${side}-cell`;
}

/** Flags, and the word, that say where a side is. An address in one layer of settings replaces one in a lower layer. */
export function addressNames(side: Side): string[] {
  const { implementation, server, root } = tripleFlags(side);
  const word = { from: 'source', to: 'destination', '': 'address' }[side];
  return [...(side === '' ? [] : [side]), word, implementation, server, root];
}

/** The flag that says which numbers types of tablets have in a store of a retired format. */
export const TYPE_NUMBERS = 'type-numbers';

/** The variable of the environment that gives a flag. */
export function variableOf(flag: string): string {
  return `TOPO2TOPO_${flag.replaceAll('-', '_').toUpperCase()}`;
}

/** Variable of the environment with a secret of a side. */
export function secretVariable(
  side: Side,
  secret: 'ETCD_PASSWORD' | 'ZK_AUTH' | 'CONSUL_TOKEN' | 'CONSUL_AUTH',
): string {
  return side === '' ? `TOPO2TOPO_${secret}` : `TOPO2TOPO_${side.toUpperCase()}_${secret}`;
}

interface LoginFlag {
  readonly name: string;
  /** Undefined: of every product. */
  readonly product: Product | undefined;
  readonly describe: (side: Side) => string;
  readonly isSwitch?: true;
}

function tls(product: Product): LoginFlag[] {
  const { title } = PRODUCTS[product];
  const of = (part: string, describe: string): LoginFlag => ({
    name: `topo-${product}-tls-${part}`,
    product,
    describe: () => describe,
  });
  return [
    of('ca', `PEM file of the CA that signed ${title}’s certificates`),
    of('cert', `PEM file of our certificate for ${title}`),
    of('key', `PEM file of our key for ${title}`),
    of('server-name', `name in ${title}’s certificates, where it is not the host’s`),
  ];
}

function login(product: Product, name: string, describe: string | ((side: Side) => string)): LoginFlag {
  return { product, name, describe: typeof describe === 'string' ? () => describe : describe };
}

/** A flag of Vitess's that changes nothing here. */
function ignored(product: Product | undefined, name: string): LoginFlag {
  return { product, name, describe: () => 'accepted for Vitess’s sake, without effect' };
}

/** Flags about how to connect, by Vitess's names where it has them. Durations: seconds, or as Go writes them. */
const LOGIN_FLAGS: readonly LoginFlag[] = [
  ...PRODUCT_NAMES.flatMap(tls),
  login('etcd', 'topo-etcd-username', 'etcd user'),
  login(
    'etcd',
    'topo-etcd-password-file',
    (side) => `file with the etcd password (or ${secretVariable(side, 'ETCD_PASSWORD')})`,
  ),
  login(
    'etcd',
    'topo-etcd-lease-ttl',
    'how long a lock outlives its dead holder (default 30s); also topo-etcd-lease-duration',
  ),
  login(
    'zk',
    'topo-zk-auth-file',
    (side) =>
      `file with <scheme>:<auth>, for instance digest:user:password (or ${secretVariable(side, 'ZK_AUTH')})`,
  ),
  login(
    'zk',
    'topo-zk-base-timeout',
    'session time-out: how long a lock outlives its dead holder (default 10s)',
  ),
  login(
    'zk',
    'topo-zk-jute-maxbuffer',
    'jute.maxbuffer of the servers, in bytes, where it is not ZooKeeper’s own 1048575',
  ),
  ignored('zk', 'topo-zk-max-concurrency'),
  login(
    'consul',
    'consul-auth-static-file',
    (side) =>
      `JSON file with the ACL token of each cell and of global (or ${secretVariable(side, 'CONSUL_AUTH')}, ${secretVariable(side, 'CONSUL_TOKEN')})`,
  ),
  login('consul', 'topo-consul-lock-delay', 'how long nobody gets a lock whose holder died'),
  login(
    'consul',
    'topo-consul-lock-session-ttl',
    'how long a lock outlives its dead holder (default 10s, the least that Consul takes)',
  ),
  ignored('consul', 'topo-consul-lock-session-checks'),
  login('consul', 'topo-consul-watch-poll-duration', 'length of one long poll of a watch (default 30s)'),
  { ...ignored('consul', ALLOW_STALE_READS), isSwitch: true },
  ...['idle-conn-timeout', 'max-conns-per-host', 'max-idle-conns'].map((name) =>
    ignored('consul', `topo-consul-${name}`),
  ),
  ignored(undefined, 'topo-read-concurrency'),
];

/** Flags that say where a topology is and how to log in, with Vitess's names, prefixed for two topologies. */
export function sideFlags(side: Side): FlagSpec[] {
  const which = SIDES[side];
  const named = tripleFlags(side);
  const cells =
    side === 'to'
      ? `CELL=SERVER,ROOT: where a cell of ${which} is; a copy writes it to CellInfo (repeatable)`
      : `CELL=SERVER,ROOT: reach a cell of ${which} there, whatever its CellInfo says (repeatable)`;
  const places = [
    textFlag(
      named.implementation,
      `implementation of ${which}: consul, etcd, etcd2, file, memory, zk2, zookeeper`,
    ),
    textFlag(named.server, `server address of ${which}, as Vitess writes it`),
    textFlag(named.root, `global root of ${which}`),
    ...(side === ''
      ? []
      : [textFlag(side, `address of ${which}, for example zk2://h1:2181,h2:2181/vitess/global`)]),
    textFlag(cellFlag(side), cells, { many: true }),
    textFlag(
      sideFlag(side, TYPE_NUMBERS),
      `types of tablets in a retired format: numbers of 2.0.0-alpha1 to alpha4, or those since; where records do not tell`,
      { choices: ['first', 'current'] },
    ),
  ];
  const logins = LOGIN_FLAGS.map(
    ({ name, describe, isSwitch }): FlagSpec => ({
      name: sideFlag(side, name),
      describe: describe(side),
      kind: isSwitch === true ? 'switch' : 'text',
    }),
  );
  const group = { from: 'Source', to: 'Destination', '': 'Topology' }[side];
  return [
    ...places.map((spec) => ({ ...spec, group: `${group}:` })),
    ...logins.map((spec) => ({ ...spec, group: `${group}, logging in and locks:`, last: true as const })),
  ];
}

/** The flags that are meant by one that a command does not have, since it is about more or fewer topologies. */
export function otherSides(name: string): string[] {
  const [, side, rest = name] = /^(from|to)-(.*)$/.exec(name) ?? [];
  if (!LOGIN_FLAGS.some((flag) => flag.name === rest)) return [];
  return side === undefined ? [sideFlag('from', rest), sideFlag('to', rest)] : [rest];
}

/** Refuses a flag that is about another product than the side's. Usage. */
export function checkProduct(flags: Flags, side: Side, implementation: Implementation): void {
  for (const { name, product } of LOGIN_FLAGS) {
    if (product === undefined) continue;
    const given = sideFlag(side, name);
    const names = namesOf(product);
    if (flags[given] !== undefined && !names.includes(implementation))
      throw usage(
        `--${given} is for ${names[0]}, and ${SIDES[side]} is ${implementation}`,
        `leave it out; it may also be the variable ${variableOf(given)} of the environment`,
      );
  }
}
