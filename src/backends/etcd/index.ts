import type { Backend } from '../../topo/backend.js';
import { etcdConnection } from './connection.js';
import { openStore } from './open.js';

/** The retired `etcd` of Vitess until 2017, through the v2 API of etcd 3.4 and older. */
export const backend: Backend = {
  implementation: 'etcd',
  connect: async (address, settings) => etcdConnection(await openStore(address, settings), address.root),
};
