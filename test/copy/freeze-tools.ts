import { randomUUID } from 'node:crypto';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { ledgersFor } from '../../src/cli/freezing.js';
import { storesFor } from '../../src/cli/stores.js';
import { applyCopy, planCopy } from '../../src/copy/copy.js';
import { freeze } from '../../src/copy/freeze.js';
import type { FreezeOptions, FreezeResult } from '../../src/copy/freeze-options.js';
import type { CopyOptions } from '../../src/copy/options.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { GLOBAL, Topology } from '../../src/topo/topology.js';
import { SETTINGS, withStore } from '../support/topologies.js';

const SCOPES = [GLOBAL, 'zone1', 'zone2'];

/** A source in memory, a destination that was copied to, and a freeze of the one for the other. */
export async function frozenPair(flavour: string) {
  const id = randomUUID();
  const server = `${flavour}:${id}`;
  const source = (scope: string) => `memory://${server}/vitess/${scope}`;
  const destination = (scope: string) => `memory://etcd:${id}to/vitess/${scope}`;
  const memory = memoryStore(server);
  for (const scope of SCOPES)
    await withStore(source(scope), async (store) => {
      for (const record of sampleTopology(server).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });

  /** Copies, does `between`, then freezes. */
  async function run(
    more: Partial<FreezeOptions> = {},
    between: () => Promise<unknown> = async () => {},
  ): Promise<FreezeResult> {
    const [from, to] = await Promise.all([
      Topology.open({ global: parseAddress(source(GLOBAL)), stores: storesFor(SETTINGS, 'lock') }),
      Topology.open({ global: parseAddress(destination(GLOBAL)), stores: storesFor(SETTINGS, 'write') }),
    ]);
    try {
      const options: CopyOptions = {
        source: from,
        destination: to,
        rule: { given: new Map(), root: '/vitess/{cell}' },
        clock: systemClock,
        concurrency: 4,
      };
      const ledgers = await ledgersFor(from, options);
      const prepared = await planCopy({ ...options, ledgers, overrules: { locks: true } });
      await applyCopy(prepared, { ...options, ledgers, overrules: { locks: true } });
      await between();
      return await freeze({
        ...options,
        ledgers,
        before: prepared.plan,
        random: () => 0,
        host: 'host-1',
        timeoutMs: 20_000,
        ...more,
      });
    } finally {
      await Promise.all([from.close(), to.close()]);
    }
  }

  /** Every entry of a lock in the source, by path. */
  const held = () =>
    memory
      .recordsBelow('vitess/global')
      .map(({ key }) => key)
      .filter((key) => /\/locks\/|\/Lock$/.test(key));

  const bytesIn = (address: string, path: string) => {
    const { server: name, root } = parseAddress(address);
    return memoryStore(name).record(`${root.replace(/^\//, '')}/${path}`)?.bytes;
  };

  return { source, destination, memory, server, run, held, bytesIn };
}
