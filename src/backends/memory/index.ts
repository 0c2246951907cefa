import { storeName } from '../../topo/address.js';
import type { Backend } from '../../topo/backend.js';
import { memoryConnection } from './connection.js';
import { keyOf } from './operation.js';
import { Requests } from './requests.js';
import { useMemoryStore } from './stores.js';

/**
 * Stores in this process that behave like a product: `memory://zookeeper:NAME/ROOT`, `memory://etcd…`,
 * `memory://consul…`. Connections to one server share one store, each seeing its root alone.
 */
export const backend: Backend = {
  implementation: 'memory',
  async connect(address, settings) {
    const inUse = useMemoryStore(address.server, settings);
    const context = {
      store: storeName(address),
      clock: settings.clock,
      defaultTimeoutMs: settings.requestTimeoutMs,
    };
    await new Promise<void>((arrive) => inUse.store.deliver(arrive));
    return memoryConnection(new Requests(context, inUse, keyOf(address.root), settings), address.server);
  },
};
