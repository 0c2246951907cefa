import pLimit from 'p-limit';
import type { CallOptions, Connection } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { formatIdentity, witnessIn } from '../topo/identity.js';
import { digestOf, type ManifestRecord } from './manifest.js';
import type { Tree } from './read-tree.js';

/** One record that an import would write, and the version of what it replaces. */
export interface PlannedWrite {
  readonly action: string;
  readonly path: string;
  readonly destination: string | undefined;
}

/** Reads in flight. */
const READS = 32;

/**
 * The records, as SCOPE:PATH, that an import would write over although the destination does not have them as they were exported: what
 * somebody changed since, and, in the store that was exported, what somebody deleted. CellInfo, which keeps the destination's address,
 * is left out.
 */
export async function moved(
  tree: Tree,
  scopes: readonly { readonly scope: string; writes(): Iterable<PlannedWrite> }[],
  storeOf: (scope: string) => Promise<Connection | undefined>,
  { signal, deadline }: CallOptions,
): Promise<string[]> {
  const call = { signal, deadline };
  const limit = pLimit(READS);
  const exported = new Map<string, ManifestRecord>(
    [...tree.records.map((record) => record.exported), ...tree.removed].flatMap((record) =>
      record === undefined ? [] : [[`${record.scope}:${record.path}`, record] as const],
    ),
  );
  const edited = new Set<string>(
    tree.records.filter(({ isChanged }) => isChanged).map(({ scope, path }) => `${scope}:${path}`),
  );
  const found: string[] = [];
  for (const { scope, writes } of scopes.map((each) => ({ scope: each.scope, writes: [...each.writes()] }))) {
    const store = writes.length === 0 ? undefined : await storeOf(scope);
    if (store === undefined) continue;
    const line = tree.head.identities[scope];
    const isOrigin = line !== undefined && (await isStill(store, line, call));
    const check = async ({ path, destination }: PlannedWrite): Promise<string | undefined> => {
      const place = `${scope}:${path}`;
      const known = exported.get(place);
      if (destination === undefined)
        return isOrigin && known !== undefined ? `${place} was deleted` : undefined;
      const present = await find(store, path, call);
      const isAsExported =
        present?.version.token === destination &&
        digestOf(present?.bytes ?? new Uint8Array()) === known?.sha256;
      if (isAsExported) return undefined;
      return edited.has(place) ? `${place} was changed here, too` : `${place} was changed`;
    };
    const checked = await Promise.all(
      writes.filter(({ action }) => action !== 'rewrite').map((write) => limit(() => check(write))),
    );
    found.push(...checked.filter((each) => each !== undefined));
  }
  return found;
}

/** Whether a store is the one that has this line for its identity. */
async function isStill(store: Connection, line: string, call: CallOptions): Promise<boolean> {
  const { servers, root } = await store.identity({ ...call, witness: witnessIn(line) });
  return root !== undefined && formatIdentity({ servers, root }) === line;
}
