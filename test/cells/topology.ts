import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { Topology } from '../../src/topo/topology.js';
import { plantSample } from '../cli/sample.js';
import { contents, SETTINGS } from '../support/topologies.js';

/** The sample topology in memory, open, and the server it is on. */
export interface SampleTopology {
  readonly topology: Topology;
  readonly server: string;
  /** The address of a scope. */
  at(scope: string): string;
  /** Everything in the global store and the cells, for telling whether something was written. */
  everything(): Promise<string>;
}

/** Servers with this in their name do not answer. */
export const SILENT = 'silent';

/** Opens a sample topology; close its `topology` in the end. */
export async function sampleOf(): Promise<SampleTopology> {
  const { server, from } = await plantSample();
  const stores = storesFor(SETTINGS, 'write');
  const topology = await Topology.open({
    global: parseAddress(from),
    stores: {
      ...stores,
      open: (address, scope) =>
        address.server.includes(SILENT)
          ? Promise.reject(new TopologyError(ErrorCode.Unavailable, 'no server answers'))
          : stores.open(address, scope),
    },
  });
  const at = (scope: string) => `memory://${server}/vitess/${scope}`;
  return {
    topology,
    server,
    at,
    async everything() {
      const all = [];
      for (const scope of ['global', 'zone1', 'zone2', 'zone3'])
        for (const [path, bytes] of await contents(at(scope)))
          all.push(`${scope} ${path} ${bytes.toString('base64')}`);
      return all.join('\n');
    },
  };
}
