import { available, startConsul, startEtcd, startZooKeeper } from '../servers/index.js';

/** A running server. */
export interface Server {
  readonly servers: string;
  stop(): Promise<void>;
}

/** A store that a topology can be in, for tests that run on each. */
export interface Product {
  readonly name: string;
  readonly implementation: string;
  readonly available: boolean;
  /** Whether the server can be sealed as it is started here. */
  readonly seals: boolean;
  start(): Promise<Server>;
  root(scope: string): string;
}

const slashed = (scope: string) => `/vitess/${scope}`;
/** One version of each product. */
export const PRODUCTS: readonly Product[] = [
  {
    name: 'ZooKeeper',
    implementation: 'zk2',
    available: available.zookeeper('3.8'),
    seals: true,
    start: () => startZooKeeper({ version: '3.8' }),
    root: slashed,
  },
  {
    name: 'etcd',
    implementation: 'etcd2',
    available: available.etcd('3.5'),
    seals: false,
    start: () => startEtcd({ version: '3.5' }),
    root: slashed,
  },
  {
    name: 'Consul',
    implementation: 'consul',
    available: available.consul('1.8'),
    seals: false,
    start: () => startConsul({ version: '1.8' }),
    root: (scope) => `vitess/${scope}`,
  },
];

/** The address of a scope on a server. */
export function addressOn(product: Product, { servers }: Server, scope: string): string {
  return `${product.implementation}://${servers}/${product.root(scope).replace(/^\//, '')}`;
}
