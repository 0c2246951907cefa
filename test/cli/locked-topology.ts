import { randomUUID } from 'node:crypto';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import type { Connection } from '../../src/topo/connection.js';
import { makeLockContents } from '../../src/topo/lock-contents.js';
import { SETTINGS } from '../support/topologies.js';

const opened: Connection[] = [];

/** Closes what {@link topology} opened; for afterEach. */
export async function closeTopologies(): Promise<void> {
  for (const store of opened.splice(0)) await store.close();
}

interface TestTopology {
  readonly address: string;
  readonly server: string;
  readonly store: Connection;
  /** Leaves an entry of a lock behind that no session owns; gives its path. */
  orphan(dir: string, action: string): Promise<string>;
}

/** A topology with three keyspaces in memory, and a connection to its global store. */
export async function topology(flavour: string): Promise<TestTopology> {
  const server = `${flavour}:${randomUUID()}`;
  const address = `memory://${server}/vitess/global`;
  const store = await storesFor(SETTINGS, 'write').open(parseAddress(address), 'global');
  opened.push(store);
  for (const { scope, path, bytes } of sampleTopology('unused'))
    if (scope === 'global' && !path.startsWith('cells/')) await store.create(path, bytes);
  return {
    address,
    server,
    store,
    async orphan(dir, action) {
      const bytes = Buffer.from(contents(action));
      const path = flavour === 'consul' ? `${dir}/Lock` : `${dir}/locks/0000000000`;
      if (flavour !== 'consul') {
        await store.create(path, bytes);
        return path;
      }
      // As a crashed process of Vitess leaves it.
      const memory = memoryStore(server);
      const session = memory.openSession({ behavior: 'release', lockDelayMs: 0 });
      memory.putEphemeral(`vitess/global/${path}`, bytes, session);
      memory.expireSession(session);
      return path;
    },
  };
}

/** Contents of a lock that somebody took two minutes ago. */
export const contents = (action: string) =>
  makeLockContents({ action, host: 'host-7', user: 'vitess', now: Date.now() - 125_000 });
