import { randomUUID } from 'node:crypto';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { withStore } from '../support/topologies.js';

/** A sample topology in memory, as ZooKeeper would hold it: its server, and the address of its global store. */
export async function plantSample(): Promise<{ server: string; from: string }> {
  const server = `zookeeper:${randomUUID()}`;
  for (const scope of ['global', 'zone1', 'zone2']) {
    await withStore(`memory://${server}/vitess/${scope}`, async (store) => {
      for (const record of sampleTopology(server).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });
  }
  return { server, from: `memory://${server}/vitess/global` };
}

/** An empty memory store, as etcd would be. */
export function emptyStore(): { server: string; to: string } {
  const server = `etcd:${randomUUID()}`;
  return { server, to: `memory://${server}/vitess/global` };
}
