import { probe } from '../../http/probe.js';
import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import { FAILURES } from './error.js';
import { EtcdStore } from './store.js';

/** Connects to the servers of an address, and proves that one answers and lets the root be read. Unavailable, Unauthorized, Timeout. */
export async function openStore(address: StoreAddress, settings: ConnectSettings): Promise<EtcdStore> {
  const store = new EtcdStore(address, settings);
  const key = store.layout.key('');
  try {
    await probe(store, FAILURES, settings.connectTimeoutMs, (member, limits) => member.get(key, {}, limits));
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
