import type { Implementation } from '../../src/topo/address.js';
import type { Contender } from './operations.js';
import { rawConsul } from './operations-raw-consul.js';
import { rawEtcd } from './operations-raw-etcd.js';
import { rawZooKeeper } from './operations-raw-zookeeper.js';

/** The client of each store used directly, with as few requests as each operation can do with. */
export const RAW_CONTENDERS: Readonly<
  Partial<Record<Implementation, (server: string, root: string) => Promise<Contender>>>
> = { zk2: rawZooKeeper, etcd2: rawEtcd, consul: rawConsul };
