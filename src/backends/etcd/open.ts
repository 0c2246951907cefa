import { probe } from '../../http/probe.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { EtcdClient } from './client.js';
import { FAILURES } from './error.js';
import { listNative } from './read-many.js';

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

/** {@link probeRoot}; of a global store it also learns whether a cell's is in its root. */
export async function probeStore(client: EtcdClient, settings: ConnectSettings): Promise<void> {
  await probeRoot(client, settings);
  if (client.layout.cell !== undefined) return;
  const deadline = settings.clock.now() + settings.connectTimeoutMs;
  try {
    client.noticeCells((await listNative(client, 'cells', 'cells', { deadline })) ?? []);
  } catch (error) {
    await client.close();
    throw error;
  }
}
