import { formatAddress, type StoreAddress, storeName } from '../../topo/address.js';
import type { Backend, ConnectSettings } from '../../topo/backend.js';
import { raceCall } from '../../topo/calls.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { GLOBAL } from '../../topo/topology.js';
import { fileConnection } from './connection.js';
import { toTopologyError } from './error.js';
import { Part } from './part.js';
import { acquire } from './shared.js';

/** A whole topology in one file (docs/file-format.md). The root of each part is `/` and its scope: `/global`, `/<cell>`. */
export const backend: Backend = { implementation: 'file', connect, cellAddress };

/** A file that does not exist is an empty topology, which the first write makes, unless it must exist: NoNode. */
async function connect(address: StoreAddress, settings: ConnectSettings): Promise<Connection> {
  const scope = scopeOf(address);
  const { clock, connectTimeoutMs, requestTimeoutMs, mustExist } = settings;
  const opening = { store: storeName(address), clock, defaultTimeoutMs: connectTimeoutMs };
  try {
    const file = await acquire(address.server, clock);
    const context = {
      store: storeName({ ...address, server: file.name }),
      clock,
      defaultTimeoutMs: requestTimeoutMs,
    };
    try {
      await raceCall(opening, undefined, { kind: 'read' }, () => file.read(() => {}));
      if (mustExist === true && !file.exists) throw noFile(context.store);
    } catch (error) {
      await file.release();
      throw error;
    }
    return fileConnection(address.root, new Part(context, scope, file));
  } catch (error) {
    throw toTopologyError(opening, error);
  }
}

function cellAddress(global: StoreAddress, cell: string): StoreAddress {
  if (cell === GLOBAL) {
    throw new TopologyError(
      ErrorCode.NoCell,
      `no cell may be called ${GLOBAL}: a file keeps the global part there`,
      {
        store: storeName(global),
      },
    );
  }
  return { ...global, root: `/${cell}` };
}

function noFile(store: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such file', { store, hint: 'check the name' });
}

function scopeOf(address: StoreAddress): string {
  const match = /^\/([^/]+)$/.exec(address.root);
  if (match?.[1] !== undefined) return match[1];
  throw new TopologyError(
    ErrorCode.InvalidAddress,
    `address ${formatAddress(address)}: ${JSON.stringify(address.root)} is no root of a topology file`,
    { hint: `the parts of a file are /${GLOBAL} and one for each cell, /CELL` },
  );
}
