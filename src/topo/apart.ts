import { formatAddress, overlaps, type StoreAddress } from './address.js';
import type { CallOptions, Connection } from './connection.js';
import { ErrorCode, TopologyError } from './errors.js';
import { sameIdentity } from './identity.js';
import type { Pair, ScanSpan } from './join.js';
import type { Cell } from './topology.js';

/** All places of one topology. */
export interface Places {
  readonly global: StoreAddress;
  readonly cells: readonly Cell[];
}

/**
 * Refuses two topologies of which any part of one is the place of any part of the other, however it is spelt (Guard):
 * such a copy would write over its own source, such a comparison would find a store equal to itself.
 */
export function checkApart(source: Places, destination: Places): void {
  for (const a of partsOf(source)) {
    for (const b of partsOf(destination)) {
      if (!overlaps(a.address, b.address)) continue;
      throw new TopologyError(
        ErrorCode.Guard,
        `source and destination are the same place: ${a.name} of the source is ${formatAddress(a.address)}, ` +
          `${b.name} of the destination is ${formatAddress(b.address)}: they share a server, and their roots overlap`,
        {
          hint:
            'old and new trees may live on the same servers, under roots of which none contains the other; if a CellInfo of ' +
            'the destination names the source’s store, give the right address with --to-cell CELL=SERVER,ROOT',
        },
      );
    }
  }
}

/**
 * Refuses two open stores that turn out to be one (Guard), where the addresses did not show it: a file under two names, servers
 * under two names.
 */
export async function checkDistinct(
  source: Connection,
  destination: Connection,
  { signal, deadline }: CallOptions,
): Promise<void> {
  const isSame =
    source.store === destination.store || (await areOne(source, destination, { signal, deadline }));
  if (!isSame) return;
  const named = source.store === destination.store ? '' : `, also called ${destination.store}`;
  throw new TopologyError(ErrorCode.Guard, `source and destination are the same place${named}`, {
    store: source.store,
    hint: 'give two different stores',
  });
}

/** Equal identities and positions: of two clusters that were set up alike, one goes on counting before the other. */
async function areOne(a: Connection, b: Connection, call: CallOptions): Promise<boolean> {
  const [one, other] = await Promise.all([a.identity(call), b.identity(call)]);
  if (!sameIdentity(one, other)) return false;
  const before = await a.position(call);
  const between = await b.position(call);
  return before <= between && between <= (await a.position(call));
}

/**
 * Notices, while two stores are read side by side, that they are one store whose servers go by other names: every record
 * is there twice, equal in bytes and in version, and the positions are equal. {@link SameStoreCheck.finish} refuses that (Guard),
 * and with it a clone of the store's own data directory, whose CellInfo names the same cells.
 */
export class SameStoreCheck {
  #pairs = 0;
  #same: boolean;

  constructor(source: Connection, destination: Connection) {
    const servers = (connection: Connection) => !/^(file|memory):/.test(connection.store);
    this.#same = servers(source) && servers(destination);
  }

  add(pairs: readonly Pair[]): void {
    this.#pairs += pairs.length;
    this.#same &&= pairs.every(
      ({ a, b }) =>
        a !== undefined &&
        b !== undefined &&
        a.version.token === b.version.token &&
        Buffer.compare(a.bytes, b.bytes) === 0,
    );
  }

  finish({ a, b }: { readonly a: ScanSpan; readonly b: ScanSpan }): void {
    if (!this.#same || this.#pairs === 0 || a.last !== b.last) return;
    throw new TopologyError(
      ErrorCode.Guard,
      'source and destination are the same place under two names: all records, versions and positions agree',
      { hint: 'give two different stores' },
    );
  }
}

function partsOf(places: Places): { name: string; address: StoreAddress }[] {
  const cells = places.cells.map((cell) => ({ name: `cell ${cell.name}`, address: cell.address }));
  return [{ name: 'the global part', address: places.global }, ...cells];
}
