import { fieldsOrProblem } from '../topo/codec.js';
import type { StoredRecord } from '../topo/connection.js';
import type { KindRow } from '../topo/kinds.js';
import { compareBytewise } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';
import type { DifferencePlace } from './report.js';

/** The keyspace that a record belongs to: by its path, or, a tablet, by what it says. */
export function keyspaceOf(row: KindRow, { path, bytes }: StoredRecord): string | undefined {
  const [directory, keyspace, ...more] = path.split('/');
  if (directory === 'keyspaces' && more.length > 0) return keyspace;
  if (row.kind !== 'Tablet' || row.message === null) return undefined;
  const fields = fieldsOrProblem(row.message, bytes);
  const named = typeof fields === 'string' ? undefined : fields['keyspace'];
  return typeof named === 'string' && named !== '' ? named : undefined;
}

/** The order of a report: the global store, then the cells; what belongs to no keyspace, then keyspace by keyspace; kinds; paths. */
export function inOrder(a: DifferencePlace, b: DifferencePlace): number {
  return (
    Number(b.scope === GLOBAL) - Number(a.scope === GLOBAL) ||
    compareBytewise(a.scope, b.scope) ||
    compareBytewise(a.keyspace ?? '', b.keyspace ?? '') ||
    compareBytewise(a.kind, b.kind) ||
    compareBytewise(a.path, b.path)
  );
}
