import { createHash } from 'node:crypto';
import { formatAddress } from '../../topo/address.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { find } from '../../topo/find.js';
import { classify, type Kind } from '../../topo/kinds.js';
import { GLOBAL, type Topology } from '../../topo/topology.js';
import { scopeKind } from '../context.js';

/**
 * The record by which a topology file is a backup, in its global part: written when everything else is there. One of the tool's own
 * records, so no copy carries it on.
 */
export const BACKUP_RECORD = 'topo2topo/backup';

const VERSION = 1;

/** One store that a backup holds: the global one, or a cell's. */
export interface BackupScope {
  readonly scope: string;
  readonly store: string;
  readonly identity: string;
  /** The store's positions before the first and after the last reading: what the backup holds is of this span. */
  readonly positions: readonly [first: string, last: string];
  readonly records: number;
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
  /** Records by kind and by shard, for the guard of the next backup. */
  readonly held: Readonly<Record<string, number>>;
}

/** What a backup says of itself. */
export interface BackupRecord {
  readonly version: typeof VERSION;
  readonly tool: string;
  /** When the reading began and ended: ISO 8601, UTC. */
  readonly begun: string;
  readonly made: string;
  /** Address of the source's global store, without credentials. */
  readonly from: string;
  readonly scopes: readonly BackupScope[];
  readonly records: number;
  readonly bytes: number;
  /** See {@link Contents.sha256}. */
  readonly sha256: string;
  /** Records that the source changed once more while it was read; 0: the backup was equal to the source when it was made. */
  readonly changedMeanwhile: number;
}

/** What a topology holds, without what no copy looks at. */
export interface Contents {
  readonly scopes: readonly {
    readonly scope: string;
    readonly records: number;
    readonly kinds: Readonly<Partial<Record<Kind, number>>>;
  }[];
  readonly records: number;
  readonly bytes: number;
  /** SHA-256 over scope, path, length and bytes of every record, in order. */
  readonly sha256: string;
}

/** Reads everything in a topology. */
export async function contentsOf(topology: Topology, { signal, deadline }: CallOptions): Promise<Contents> {
  const call = { signal, deadline };
  const hash = createHash('sha256');
  const cells = await topology.cells(call);
  const stores = [
    { scope: GLOBAL, open: async () => topology.global },
    ...cells.map((cell) => ({ scope: cell.name, open: () => topology.cell(cell) })),
  ];
  const scopes: { scope: string; records: number; kinds: Partial<Record<Kind, number>> }[] = [];
  let bytes = 0;
  for (const { scope, open } of stores) {
    const held = { scope, records: 0, kinds: {} as Partial<Record<Kind, number>> };
    for await (const { records } of (await open()).scan('', call))
      for (const record of records) {
        const { kind, copied } = classify(scopeKind(scope), record.path, record.ephemeral);
        if (copied === false) continue;
        held.records += 1;
        held.kinds[kind] = (held.kinds[kind] ?? 0) + 1;
        bytes += record.bytes.byteLength;
        hash.update(`${scope}\0${record.path}\0${record.bytes.byteLength}\0`).update(record.bytes);
      }
    scopes.push(held);
  }
  const records = scopes.reduce((sum, scope) => sum + scope.records, 0);
  return { scopes, records, bytes, sha256: hash.digest('hex') };
}

/** What a topology file says of itself; undefined: it is no backup. Corrupt when it is not to be understood. */
export async function readBackupRecord(
  topology: Topology,
  { signal, deadline }: CallOptions,
): Promise<BackupRecord | undefined> {
  const found = await find(topology.global, BACKUP_RECORD, { signal, deadline });
  if (found === undefined) return undefined;
  const store = topology.global.store;
  const record = parse(found.bytes);
  if (record === undefined)
    throw new TopologyError(ErrorCode.Corrupt, 'what the file says of itself as a backup is not readable', {
      path: BACKUP_RECORD,
      store,
      hint: NOT_CHECKED,
    });
  if (record.version === VERSION) return record;
  throw new TopologyError(
    ErrorCode.Unsupported,
    `the backup has version ${record.version}, and this program knows ${VERSION}`,
    { path: BACKUP_RECORD, store, hint: 'use the version of topo2topo that made it, or a newer one' },
  );
}

/**
 * Whether a backup is whole: it says that it is one, and holds exactly what it says. Corrupt otherwise. The checksums of the file
 * itself were compared when it was opened.
 */
export async function checkBackup(topology: Topology, options: CallOptions): Promise<BackupRecord> {
  const record = await readBackupRecord(topology, options);
  const found = await contentsOf(topology, options);
  const store = topology.global.store;
  if (record === undefined) {
    const what =
      found.records === 0
        ? 'there is no such file, or it holds nothing'
        : 'the file is no backup: nothing in it says that it is complete';
    throw new TopologyError(ErrorCode.Corrupt, what, { store, hint: NO_BACKUP });
  }
  const problem = difference(record, found);
  if (problem === undefined) return record;
  throw new TopologyError(ErrorCode.Corrupt, `the backup was altered after it was made: ${problem}`, {
    store,
    hint: `use another one; ${NOT_CHECKED}`,
  });
}

const NOT_CHECKED = `what the file holds can be looked at (topo2topo tree), and copied without this check (topo2topo copy)`;
const NO_BACKUP =
  'check the name; a backup that did not come to its end is not there under its name; a file that copy made is copied back with topo2topo copy';

function difference(said: BackupRecord, found: Contents): string | undefined {
  for (const { scope, records } of said.scopes) {
    const held = found.scopes.find((each) => each.scope === scope)?.records ?? 0;
    if (held !== records) return `${scope} has ${held} records, and had ${records}`;
  }
  const added = found.scopes.find(({ scope }) => !said.scopes.some((each) => each.scope === scope));
  if (added !== undefined) return `there is a cell ${added.scope} that it was not made of`;
  return found.sha256 === said.sha256 ? undefined : 'as many records, and not all of them the same';
}

function parse(bytes: Uint8Array): BackupRecord | undefined {
  try {
    const found = JSON.parse(Buffer.from(bytes).toString('utf8')) as BackupRecord;
    return typeof found === 'object' && found !== null && Array.isArray(found.scopes) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The record as bytes. */
export function formatBackupRecord(record: BackupRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** What a backup says of itself, for programs; `now` in milliseconds. */
export function backupFacts(
  topology: Topology,
  { scopes, ...record }: BackupRecord,
  now: number,
): Readonly<Record<string, unknown>> {
  const held = scopes.map(({ scope, store, records, positions }) => ({ scope, store, records, positions }));
  const ageSeconds = Math.round((now - Date.parse(record.made)) / 1000);
  return { file: formatAddress(topology.address), ...record, ageSeconds, scopes: held };
}

/** A backup in words: of what, made when and by what. */
export function backupTitle(topology: Topology, { from, made, tool, records }: BackupRecord): string {
  return `${formatAddress(topology.address)} is a backup of ${from}, made ${made} by topo2topo ${tool}: ${records} records, whole`;
}
