import type { Clock } from '../../topo/clock.js';
import { decode } from '../../topo/codec.js';
import type { JsonObject } from '../../topo/codec-json.js';
import type { Connection, StoredRecord } from '../../topo/connection.js';
import { readProblem } from '../../topo/find.js';
import { type FoundLock, LockSearch } from '../../topo/found-locks.js';
import { classify, type Kind, type KindRow } from '../../topo/kinds.js';
import { parseTabletAlias } from '../../topo/names.js';
import type { Seal } from '../../topo/seal.js';
import { scopeKind } from '../context.js';

/** What a store holds, as far as it matters before a migration. */
export interface Survey {
  readonly records: number;
  readonly bytes: number;
  /** Of the largest record. */
  readonly largestBytes: number;
  /** Milliseconds that reading all of it took. */
  readonly ms: number;
  readonly kinds: ReadonlyMap<Kind, number>;
  /** Tablets by the cell that their names say. */
  readonly tabletCells: ReadonlyMap<string, number>;
  /** Keyspaces, Shards and SrvKeyspaces that decode. */
  readonly decoded: readonly DecodedRecord[];
  /** Paths of Workflow records. */
  readonly workflows: readonly string[];
  readonly locks: readonly FoundLock[];
  /** A seal that is on the store, whole or in part. */
  readonly seal: Seal | undefined;
}

export interface DecodedRecord {
  readonly kind: Kind;
  readonly path: string;
  readonly fields: JsonObject;
}

const DECODED: ReadonlySet<Kind> = new Set(['Keyspace', 'Shard', 'SrvKeyspace']);

/** Reads a store once. Fails as a scan does. */
export async function survey(
  scope: string,
  store: Connection,
  clock: Clock,
  signal: AbortSignal,
): Promise<Survey> {
  const kinds = new Map<Kind, number>();
  const tabletCells = new Map<string, number>();
  const decoded: DecodedRecord[] = [];
  const workflows: string[] = [];
  const search = new LockSearch();
  const begun = clock.now();
  let records = 0;
  let bytes = 0;
  let largestBytes = 0;
  for await (const page of store.scan('', { signal }))
    for (const record of page.records) {
      const row = classify(scopeKind(scope), record.path, record.ephemeral);
      if (row.kind === 'Control') continue;
      records += 1;
      bytes += record.bytes.byteLength;
      largestBytes = Math.max(largestBytes, record.bytes.byteLength);
      add(kinds, row.kind);
      search.add(record);
      if (row.kind === 'Tablet') add(tabletCells, cellOf(record.path));
      if (row.kind === 'Workflow') workflows.push(record.path);
      decoded.push(...decodedOf(row, record));
    }
  const ms = clock.now() - begun;
  const locks = await search.find(store, signal);
  const seal = await store.sealed({ signal });
  return { records, bytes, largestBytes, ms, kinds, tabletCells, decoded, workflows, locks, seal };
}

function decodedOf({ kind, message }: KindRow, record: StoredRecord): DecodedRecord[] {
  if (!DECODED.has(kind) || message === null || readProblem(message, record) !== undefined) return [];
  return [{ kind, path: record.path, fields: decode(message, record.bytes).json }];
}

function add<K>(counts: Map<K, number>, key: K | undefined): void {
  if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
}

function cellOf(path: string): string | undefined {
  try {
    return parseTabletAlias(path.split('/')[1] ?? '').cell;
  } catch {
    return undefined;
  }
}
