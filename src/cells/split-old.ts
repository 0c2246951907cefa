import { formatAddress } from '../topo/address.js';
import type { Change } from '../topo/changes.js';
import type { CallOptions, StoredRecord } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { parseTabletAlias } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { recordsInUse } from './contents.js';
import { GLOBAL_DATA, type OldCell } from './split-state.js';

/**
 * Deletes the tablets of the old cell, then its ShardReplication, then its SrvKeyspace, as RemoveKeyspaceCell of every keyspace does.
 * Guard when the place is another cell's, too, or holds tablets of another.
 */
export function emptyOld(old: OldCell): Change[] {
  const neighbours = old.shares.filter((whose) => whose !== GLOBAL_DATA);
  if (neighbours.length > 0) throw shared(old, neighbours);
  checkOwnTablets(old);
  return deletions(old, recordsInUse(old.contents));
}

/**
 * Deletes what is left at the place of the old cell: SrvVSchema. Guard when anything else is there, or the place is also that of the
 * global data or of another cell.
 */
export function clearOld(old: OldCell): Change[] {
  if (old.shares.length > 0) throw shared(old, old.shares);
  checkOwnTablets(old);
  const { srvVSchema, others } = old.contents;
  const strange = [...recordsInUse(old.contents).map(({ path }) => path), ...others];
  if (strange.length > 0) {
    const more = strange.length > SHOWN ? ` and ${strange.length - SHOWN} more` : '';
    throw new TopologyError(
      ErrorCode.Guard,
      `the old place of cell ${old.name} holds more than a cell leaves behind: ${strange.slice(0, SHOWN).join(', ')}${more}`,
      {
        store: formatAddress(old.address),
        hint: 'look whose it is, and delete it by hand; nothing was deleted',
      },
    );
  }
  return deletions(old, srvVSchema === undefined ? [] : [srvVSchema]);
}

const SHOWN = 8;

/**
 * Guard when another cell has the very same record, written by the same write: its place is this one under other names of the servers.
 * Unavailable … when one does not answer.
 */
export async function checkNoTwin(topology: Topology, old: OldCell, options: CallOptions): Promise<void> {
  const { srvVSchema, srvKeyspaces } = old.contents;
  const sample = srvVSchema ?? srvKeyspaces[0];
  if (sample === undefined) return;
  for (const cell of await topology.cells(options)) {
    if (cell.name === old.name) continue;
    const twin = await find(await topology.cell(cell), sample.path, options);
    if (twin === undefined || twin.version.token !== sample.version.token) continue;
    if (Buffer.compare(twin.bytes, sample.bytes) === 0) throw shared(old, [`cell ${cell.name}`]);
  }
}

function checkOwnTablets({ name, address, contents }: OldCell): void {
  const foreign = contents.tablets.find(({ alias }) => !isOf(name, alias));
  if (foreign === undefined) return;
  throw new TopologyError(
    ErrorCode.Guard,
    `the place of cell ${name} holds tablets of another cell: ${foreign.alias}`,
    {
      store: formatAddress(address),
      hint: 'the store is not this cell’s alone: take its keyspaces from it with cell remove-keyspace',
    },
  );
}

function isOf(cell: string, alias: string): boolean {
  try {
    return parseTabletAlias(alias).cell === cell;
  } catch {
    return false;
  }
}

function shared({ name, address }: OldCell, whose: readonly string[]): TopologyError {
  return new TopologyError(ErrorCode.Guard, `the place of cell ${name} is also that of ${whose.join(', ')}`, {
    store: formatAddress(address),
    hint: 'what belongs to whom cannot be told there: delete what is left by hand',
  });
}

function deletions({ name }: OldCell, records: readonly StoredRecord[]): Change[] {
  return records.map(({ path, ...before }) => ({ scope: name, path, before, after: undefined }));
}
