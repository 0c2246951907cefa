import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Records that every topology has, and what is above them: the root, then what Vitess calls the directory. */
const RECORDS =
  /^(.*)\/(cells\/[^/]+\/CellInfo|keyspaces\/[^/]+\/(?:Keyspace|SrvKeyspace)|tablets\/[^/]+\/Tablet|SrvVSchema)$/;

/** The same in the trees of Vitess before 2017, of which the root is called `vt`. */
const OLD_RECORDS = /^(.*\/vt)\/((?:keyspaces|tablets|ns|replication)\/[^/]+)/;

/**
 * The root of a topology that a deletion of `top` with everything below it would take along, or the greater part of: all its
 * cells, keyspaces or tablets. Undefined: it takes none.
 */
export function topologyIn(top: string, below: Iterable<string>): string | undefined {
  for (const path of below) {
    const [, root, record = ''] = RECORDS.exec(path) ?? OLD_RECORDS.exec(path) ?? [];
    if (root === undefined) continue;
    const parts = `${root}/${record.split('/')[0]}`;
    if (isWithin(root === '' ? '/' : root, top) || (parts !== path && parts === top))
      return root === '' ? '/' : root;
  }
  return undefined;
}

function isWithin(path: string, top: string): boolean {
  return path === top || path.startsWith(top === '/' ? '/' : `${top}/`);
}

/** Guard: what is to be removed holds a topology. */
export function holdsTopology(store: string, path: string, root: string, znodes: number): TopologyError {
  const what = root === path ? 'a topology of Vitess' : `the topology of Vitess at ${root}, or most of it`;
  return new TopologyError(ErrorCode.Guard, `${znodes} znodes would be removed, and with them ${what}`, {
    path,
    store,
    hint: 'make a backup first (topo2topo copy … file:backup.topo); to remove it nevertheless, add --yes',
  });
}
