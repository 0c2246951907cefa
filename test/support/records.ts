import type { StoredRecord } from '../../src/topo/connection.js';
import type { Pair } from '../../src/topo/join.js';
import { Version } from '../../src/topo/version.js';

/** A record as a scan would give it. */
export function stored(path: string, bytes: Uint8Array | string, ephemeral = false): StoredRecord {
  return { path, bytes: Buffer.from(bytes), version: Version.of('test:', '1'), ephemeral };
}

/** What two stores hold at one path. */
export function pair(a: StoredRecord | undefined, b: StoredRecord | undefined): Pair {
  return { path: a?.path ?? b?.path ?? '', a, b };
}
