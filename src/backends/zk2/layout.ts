import { classify, type Kind } from '../../topo/kinds.js';
import { joinPath } from '../../topo/paths.js';
import type { Layout } from '../../znodes/layout.js';
import { dependsOnChildren, FILE_ACL, isRecord } from '../../znodes/znode.js';

/** Directory of the entries of a lock, in the directory that they lock. */
const LOCKS = 'locks';
const NONE: readonly string[] = [];
const LEFT_ALONE: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Control']);

/** Vitess's zk2: records are where the canonical tree has them, and nothing comes with them. */
export const LAYOUT: Layout = {
  recordAcl: FILE_ACL,
  isRecord,
  dependsOnChildren,
  companions: () => NONE,
  inside: () => 'records',
  stays: () => false,
  queue: (dir, purpose) => (purpose === 'election' ? dir : joinPath(dir, LOCKS)),
  shown: (entry) => entry,
  result: () => undefined,
  isLeftAlone: (scope, path) => LEFT_ALONE.has(classify(scope, path, false).kind),
};
