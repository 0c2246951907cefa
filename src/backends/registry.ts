import type { Implementation } from '../topo/address.js';
import type { Backend } from '../topo/backend.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Loaded on first use, so that what one store needs (a native addon) never stops a user of another. */
const LOADERS: Readonly<Partial<Record<Implementation, () => Promise<{ backend: Backend }>>>> = {
  memory: () => import('./memory/index.js'),
  file: () => import('./file/index.js'),
  zk2: () => import('./zk2/index.js'),
  etcd2: () => import('./etcd2/index.js'),
  consul: () => import('./consul/index.js'),
  zookeeper: () => import('./zookeeper/index.js'),
  etcd: () => import('./etcd/index.js'),
};

const loaded = new Map<Implementation, Promise<{ backend: Backend }>>();

/** The backend of an implementation. Unsupported, by name, where this version has none. */
export async function loadBackend(implementation: Implementation): Promise<Backend> {
  const load = LOADERS[implementation];
  if (load === undefined) {
    throw new TopologyError(
      ErrorCode.Unsupported,
      `topology implementation ${implementation} is not supported by this version`,
      {
        hint: `supported are ${Object.keys(LOADERS).join(', ')}`,
      },
    );
  }
  // Asked for each store that is opened: what was found once is not looked for again.
  const loading = loaded.get(implementation) ?? load();
  loaded.set(implementation, loading);
  return (await loading).backend;
}
