import { probe } from '../../http/probe.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { EtcdClient } from './client.js';
import { FAILURES } from './error.js';

/** Proves that a server answers and lets the root be read; closes the client otherwise. Unavailable, Unauthorized, Timeout. */
export async function probeRoot(client: EtcdClient, { connectTimeoutMs }: ConnectSettings): Promise<void> {
  const key = client.layout.key('');
  try {
    await probe(client, FAILURES, connectTimeoutMs, (member, limits) => member.get(key, {}, limits));
  } catch (error) {
    await client.close();
    throw error;
  }
}
