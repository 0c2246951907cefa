import { deleteReasons, type Reason, writeReasons } from '../editing/judge.js';
import { Surroundings } from '../editing/surroundings.js';
import { kindOf, readTarget } from '../editing/target.js';
import type { CallOptions } from '../topo/connection.js';
import type { Topology } from '../topo/topology.js';
import type { PreparedCopy } from './copy.js';
import { DELETES } from './entries.js';

/** What a running cluster makes of the records that a plan writes and deletes: the table by which single records are edited. Reads. */
export async function planReasons(
  { plan, parts }: Pick<PreparedCopy, 'plan' | 'parts'>,
  topology: Topology,
  options: CallOptions,
): Promise<Reason[]> {
  const call = { signal: options.signal, deadline: options.deadline };
  const around = new Surroundings(topology, call);
  const reasons: Reason[] = [];
  for (const plannedPart of plan.scopes) {
    const { scope } = plannedPart;
    const store = await parts.find((part) => part.scope === scope)?.to();
    if (store === undefined) continue;
    const leaving = new Set([...plannedPart.writes(DELETES)].map(({ path }) => path));
    for (const { action, path, bytes, destination } of plannedPart.writes()) {
      if (destination === undefined) {
        reasons.push(
          ...writeReasons({ scope, path, row: kindOf(scope, path).row, before: undefined }, bytes),
        );
        continue;
      }
      const target = await readTarget({ topology, store, scope, path }, call);
      reasons.push(
        ...(action === 'delete' ? await deleteReasons(target, around, leaving) : writeReasons(target, bytes)),
      );
    }
  }
  return reasons;
}
