import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { ErrorCode, TopologyError } from './errors.js';

/** Ways to store a topology, by the names Vitess gives them (`-topo_implementation`); memory and file are our own. */
export const IMPLEMENTATIONS = ['zk2', 'etcd2', 'consul', 'zookeeper', 'etcd', 'file', 'memory'] as const;
export type Implementation = (typeof IMPLEMENTATIONS)[number];

/**
 * Where one store is: Vitess's triple of implementation, server address and root.
 *
 * `server` is Vitess's own syntax: zk2 `h1:p,h2:p`, for the global store optionally `|` and observers; etcd2
 * `http://h1:p,http://h2:p` or without scheme; consul `host:port`; file: the file's name; memory:
 * `<flavour>[:<name>]`.
 * `root`: begins with `/`, except for consul, whose keys do not. The retired formats have fixed ones: zookeeper `/zk/<cell>/vt`, and
 * `/zk/global/vt` where none is given; etcd `/vt`.
 */
export interface StoreAddress {
  readonly implementation: Implementation;
  readonly server: string;
  readonly root: string;
}

const DEFAULT_PORTS: Readonly<Partial<Record<Implementation, number>>> = {
  zk2: 2181,
  zookeeper: 2181,
  etcd2: 2379,
  consul: 8500,
  etcd: 2379,
};

/** Roots of the global part that Vitess gave no choice of. */
const USUAL_ROOTS: Readonly<Partial<Record<Implementation, string>>> = {
  zookeeper: '/zk/global/vt',
  etcd: '/vt',
};

/** Root of the global part in a file, where each cell's part lies under its name. */
const FILE_GLOBAL_ROOT = '/global';

/**
 * Reads an address in URL form: `zk2://h1:2181,h2:2181|o1:2181/vitess/global`, `etcd2://h:2379/vitess/global`,
 * `consul://host:8500/vitess/global`, `file:./backup.topo` (its global part; `file:./backup.topo#/zone1` a cell's), `memory:` or
 * `memory://zookeeper:demo/vitess/global`.
 * InvalidAddress with the reason otherwise.
 */
export function parseAddress(text: string): StoreAddress {
  const scheme = /^([a-z][a-z0-9]*):/.exec(text)?.[1];
  if (scheme === undefined) {
    throw invalid(
      text,
      'it has no scheme',
      'write it as SCHEME://SERVERS/ROOT, for example zk2://h1:2181,h2:2181/vitess/global',
    );
  }
  const implementation = toImplementation(scheme);
  const rest = text.slice(scheme.length + 1);
  if (implementation === 'file') {
    const [, file = rest, part = FILE_GLOBAL_ROOT] = /^(.*)#(\/[^#]*)$/s.exec(rest) ?? [];
    return addressFromTriple(implementation, file, part);
  }
  if (implementation === 'memory' && (rest === '' || rest === '//'))
    return addressFromTriple(implementation, 'etcd', '/');
  if (!rest.startsWith('//'))
    throw invalid(text, 'its scheme is not followed by //', `write ${scheme}://SERVERS/ROOT`);
  const { server, root } = splitServerAndRoot(rest.slice(2));
  return addressFromTriple(
    implementation,
    server,
    implementation === 'consul' ? root.replace(/^\//, '') : root,
  );
}

/** The URL form of an address; {@link parseAddress} reads it. */
export function formatAddress(address: StoreAddress): string {
  if (address.implementation === 'file') {
    return `file:${address.server}${address.root === FILE_GLOBAL_ROOT ? '' : `#${address.root}`}`;
  }
  const slash = address.root === '' || address.root.startsWith('/') ? '' : '/';
  return `${address.implementation}://${address.server}${slash}${address.root}`;
}

/**
 * Checks and normalises Vitess's triple: every server gets a port, the root loses trailing and doubled slashes.
 * InvalidAddress with the reason otherwise.
 */
export function addressFromTriple(implementation: string, server: string, root: string): StoreAddress {
  const known = toImplementation(implementation);
  const shown = `${implementation} ${server} ${root}`;
  if (known === 'file' && server.trim() === '') throw invalid(shown, 'it names no file', 'write file:NAME');
  if (server.trim() === '')
    throw invalid(shown, 'it names no server', 'give host:port, several separated by commas');
  checkPlain(root, shown);
  if (known === 'file' || known === 'memory')
    return { implementation: known, server: server.trim(), root: cleanRoot(root) };
  return {
    implementation: known,
    server: normaliseServers(known, server, shown),
    root: checkRoot(known, root, shown),
  };
}

/** Endpoints of an address, each `host:port` (etcd: with `http://` or `https://` where given), and observers apart. */
export function serversOf(address: StoreAddress): {
  readonly servers: string[];
  readonly observers: string[];
} {
  const [main = '', observers = ''] = address.server.split('|');
  return { servers: splitList(main), observers: splitList(observers) };
}

/** {@link Connection.store} for an address: implementation, sorted servers without observers and scheme, root. */
export function storeName(address: StoreAddress): string {
  if (address.implementation === 'file') return `file:${address.server}#${address.root}`;
  if (address.implementation === 'memory') return formatAddress(address);
  const servers = new Set(serversOf(address).servers.map(bareHost));
  const server = [...servers].sort().join(',');
  return formatAddress({ ...address, server });
}

/**
 * Whether two addresses name overlapping places: at least one server in common (however it is spelt) and one root
 * equal to the other or above it. Different roots side by side on one ensemble are two places.
 */
export function overlaps(a: StoreAddress, b: StoreAddress): boolean {
  if (family(a.implementation) !== family(b.implementation)) return false;
  if (a.implementation === 'file')
    return resolve(a.server) === resolve(b.server) && rootsOverlap(a.root, b.root);
  if (a.implementation === 'memory') return a.server === b.server && rootsOverlap(a.root, b.root);
  return sharesServer(a, b) && rootsOverlap(a.root, b.root);
}

/**
 * Whether a cell's store lies in the root of the global one and can be told from it: in the retired `etcd`, where all have one root, the names of
 * directories say whose each thing is.
 */
export function isInGlobalRoot(cell: StoreAddress, global: StoreAddress): boolean {
  const both = cell.implementation === 'etcd' && global.implementation === 'etcd';
  return both && sharesServer(cell, global) && sameRoot(cell.root, global.root);
}

/** Whether two addresses of servers have at least one server in common, however it is spelt and whatever the products. */
export function sharesServer(a: StoreAddress, b: StoreAddress): boolean {
  const hosts = new Set(allServers(a).map(canonicalHost));
  return allServers(b).some((server) => hosts.has(canonicalHost(server)));
}

/** Whether two roots are one, whatever slashes they are written with. */
export function sameRoot(a: string, b: string): boolean {
  return cleanRoot(a) === cleanRoot(b);
}

function rootsOverlap(a: string, b: string): boolean {
  const [x, y] = [`/${a}/`, `/${b}/`].map((root) => root.replace(/\/+/g, '/')) as [string, string];
  return x.startsWith(y) || y.startsWith(x);
}

function allServers(address: StoreAddress): string[] {
  const { servers, observers } = serversOf(address);
  return [...servers, ...observers];
}

/** Products whose implementations read one another's data. */
function family(implementation: Implementation): string {
  return {
    zookeeper: 'zk',
    zk2: 'zk',
    etcd: 'etcd',
    etcd2: 'etcd',
    consul: 'consul',
    file: 'file',
    memory: 'memory',
  }[implementation];
}

function bareHost(server: string): string {
  return server.replace(/^https?:\/\//, '').toLowerCase();
}

function canonicalHost(server: string): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(bareHost(server)) ?? [];
  // URL knows the one spelling of an IPv6 address.
  const one = host.startsWith('[') ? new URL(`http://${host}`).hostname : host;
  return `${one === '127.0.0.1' || one === '[::1]' ? 'localhost' : one}:${port}`;
}

function toImplementation(name: string): Implementation {
  const found = IMPLEMENTATIONS.find((known) => known === name);
  if (found !== undefined) return found;
  throw new TopologyError(
    ErrorCode.InvalidAddress,
    `unknown topology implementation ${JSON.stringify(name)}`,
    {
      hint: `known are ${IMPLEMENTATIONS.join(', ')}`,
    },
  );
}

function splitServerAndRoot(text: string): { server: string; root: string } {
  // etcd endpoints carry their own "//": a slash ends the servers only when it does not belong to "http://".
  const match = /^((?:https?:\/\/|[^/])*)(\/.*)?$/.exec(text);
  return { server: match?.[1] ?? '', root: match?.[2] ?? '' };
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function normaliseServers(implementation: Implementation, server: string, shown: string): string {
  const lists = server.split('|');
  if (lists.length > 2 || (lists.length === 2 && implementation !== 'zk2')) {
    throw invalid(shown, 'only zk2 takes observers, after one |', 'separate servers by commas');
  }
  return lists
    .map((list) => {
      const servers = splitList(list);
      if (servers.length === 0)
        throw invalid(shown, 'it names no server', 'give host:port, several separated by commas');
      return servers.map((one) => withPort(implementation, one, shown)).join(',');
    })
    .join('|');
}

function withPort(implementation: Implementation, server: string, shown: string): string {
  const match = /^(https?:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/\s@[\]?#|]+)(?::(\d{1,5}))?\/?$/.exec(server);
  const [, scheme = '', host, port] = match ?? [];
  const number = port === undefined ? DEFAULT_PORTS[implementation] : Number(port);
  const legalHost = host?.startsWith('[') ? isIPv6(host.slice(1, -1)) : host !== undefined;
  const legalPort = number !== undefined && number >= 1 && number <= 65535;
  if (!legalHost || !legalPort || (scheme !== '' && implementation === 'zk2')) {
    // A piece of an address that holds an @ may be a piece of a password.
    const named = shown.includes('@') ? 'one of its servers' : JSON.stringify(server);
    throw invalid(
      shown,
      `${named} is not host:port`,
      'separate servers by commas; credentials come from files or the environment',
    );
  }
  return `${scheme}${host}:${number}`;
}

function checkRoot(implementation: Implementation, root: string, shown: string): string {
  if (root === '' || root === '/') {
    const usual = USUAL_ROOTS[implementation];
    if (usual !== undefined) return usual;
    throw invalid(
      shown,
      'it has no root',
      `add the root, for example ${implementation === 'consul' ? 'vitess/global' : '/vitess/global'}`,
    );
  }
  const clean = cleanRoot(root);
  if (implementation === 'consul') {
    if (root.startsWith('/'))
      throw invalid(shown, 'a Consul root does not begin with /', `write ${clean.slice(1)}`);
    return clean.slice(1);
  }
  if (!root.startsWith('/'))
    throw invalid(shown, `a root of ${implementation} begins with /`, `write ${clean}`);
  return clean;
}

function checkPlain(root: string, shown: string): void {
  if (/\/\.{1,2}(\/|$)|\0/.test(`/${root}`) || !root.isWellFormed())
    throw invalid(shown, 'its root is not a plain path', 'leave out . and ..');
}

function cleanRoot(root: string): string {
  const parts = root.split('/').filter((part) => part !== '');
  return `/${parts.join('/')}`;
}

function invalid(address: string, reason: string, hint: string): TopologyError {
  return new TopologyError(ErrorCode.InvalidAddress, `address ${withoutSecrets(address)}: ${reason}`, {
    hint,
  });
}

/** A text for messages: what stands before an @ may be a password, which may itself hold any character. */
export function withoutSecrets(text: string): string {
  return text.replace(/^(\w+(?::\/\/|\s))?.*@/s, '$1…@');
}
