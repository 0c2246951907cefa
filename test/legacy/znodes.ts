import { fromKey } from '../../src/legacy/etcd-paths.js';
import type { OldNode } from '../../src/legacy/tree.js';
import { readTree } from '../../src/legacy/tree.js';
import { fromZnode } from '../../src/legacy/zookeeper-paths.js';
import { decode } from '../../src/topo/codec.js';
import { classify } from '../../src/topo/kinds.js';
import type { LegacyNode } from '../support/fixtures.js';

/** The nodes of a legacy `zookeeper` tree. */
function oldNodes(znodes: readonly LegacyNode[]): OldNode[] {
  return znodes.map(({ path, value }) => {
    const found = fromZnode(path);
    if (found === undefined) throw new Error(`${path} is outside of all topologies`);
    return { ...found, native: path, value };
  });
}

/** The keys of one store of a legacy `etcd` topology. */
export function etcdNodes(cell: string | undefined, keys: readonly LegacyNode[]): OldNode[] {
  return keys.map(({ path, value }) => {
    const place = fromKey(cell, path);
    if (place === undefined) throw new Error(`${path} is outside of all topologies`);
    return { cell, native: path, place, value };
  });
}

/** {@link readNodes} of a legacy `zookeeper` tree. */
export function readZnodes(znodes: readonly LegacyNode[]) {
  return readNodes(oldNodes(znodes));
}

/** What an old tree is read as, with the records as JSON by `scope:path`, as a person would write them. */
export function readNodes(nodes: readonly OldNode[]) {
  const { records, ...rest } = readTree(nodes, 'current');
  const shown = records.map(({ scope, path, bytes }) => {
    const { message } = classify(scope === 'global' ? 'global' : 'cell', path, false);
    const value = message === null ? Buffer.from(bytes).toString() : decode(message, bytes).json;
    return [`${scope}:${path}`, value];
  });
  const paths = new Set(shown.map(([path]) => path));
  if (paths.size < records.length) throw new Error('a record comes twice');
  return { ...rest, bytes: records, records: Object.fromEntries(shown) };
}
