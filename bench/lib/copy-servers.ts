import { join } from 'node:path';
import {
  makeFolder,
  removeFolder,
  startConsul,
  startEtcd,
  startZooKeeper,
} from '../../test/servers/index.js';
import type { Side } from './copy-place.js';

/** A store that runs. */
export interface Running {
  /** A place in it that is nobody else's. */
  at(name: string): Side;
  stop(): Promise<void>;
}

/** Starts a server of a store, one member, with fsync as in production. */
export async function startStore(store: string): Promise<Running> {
  if (store === 'file') {
    const folder = await makeFolder();
    return {
      at: (name) => ({ store, server: join(folder, `${name}.topo`), root: '' }),
      stop: () => removeFolder(folder),
    };
  }
  if (store !== 'zk2' && store !== 'etcd2' && store !== 'consul') throw new Error(`no store ${store}`);
  const server = await STARTERS[store]();
  return {
    at: (name) => ({ store, server: server.servers, root: `/${name}` }),
    stop: () => server.stop(),
  };
}

/**
 * Room for two million znodes, several times over, and the compiler that a server has in production. The heap does not grow: collections of all of it
 * would fall into one step or another, and take longer than what is measured.
 */
const JAVA_FLAGS = ['-Xms8g', '-Xmx8g', '-XX:+UseSerialGC'];

const STARTERS = {
  zk2: () => startZooKeeper({ version: '3.8', fsync: true, javaFlags: JAVA_FLAGS }),
  etcd2: () => startEtcd({ version: '3.5', fsync: true }),
  consul: () => startConsul({ version: '1.8', fsync: true }),
};
