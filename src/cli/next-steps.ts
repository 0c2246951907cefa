import type { PreparedCopy } from '../copy/copy.js';
import type { FreezeResult } from '../copy/freeze-options.js';
import type { Kind } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import type { Narrowing } from '../verify/narrowing.js';
import { count, type Io } from './io.js';
import type { Pair } from './topologies.js';

/** What the serving graph is made from. */
const SERVED: readonly Kind[] = ['Keyspace', 'Shard', 'VSchema', 'RoutingRules', 'ShardRoutingRules'];
const SERVING: readonly Kind[] = ['SrvKeyspace', 'SrvVSchema'];

/** What was copied, and whether it was compared. */
interface Copied extends Narrowing {
  readonly verified: boolean;
}

/** What to do after a copy, in sentences: what is left out and has to be made, and how Vitess comes to use it. */
export function afterCopy(pair: Pair, prepared: PreparedCopy, copied: Copied): string[] {
  const { plan } = prepared;
  const { kinds, keyspaces, verified } = copied;
  const to = pair.destination.spelled;
  const [from, into] = [pair.source, pair.destination].map(({ address }) => address.implementation);
  const steps: string[] = [];
  const blank = plan.scopes.flatMap(({ findings }) =>
    findings.filter(({ problem }) => problem === 'blank tablet'),
  );
  if (blank.length > 0)
    steps.push(
      `start ${count(blank.length, 'tablet')} again in the source, or delete their records there, and copy again: they were stopped, and left out`,
    );
  const isCopied = (kind: Kind) => kinds === undefined || kinds.has(kind);
  const isClosed = lacksCells(pair, prepared, copied);
  if (isClosed)
    steps.push(
      'copy what was not asked for, CellInfo with it: Vitess finds no cell in the destination before, and nothing there can be used',
    );
  // Nobody starts from a file.
  else if (into !== 'file' && keyspaces !== undefined && isCopied('VSchema'))
    steps.push(
      `make SrvVSchema again, which is of all keyspaces and was left out: topo2topo graph rebuild ${to}`,
    );
  else if (into !== 'file' && SERVED.some(isCopied) && !SERVING.every(isCopied))
    steps.push(`make the serving graph, which was left out: topo2topo graph rebuild ${to}`);
  if (plan.scopes.some(({ transcoded }) => transcoded.to !== undefined))
    steps.push(
      `make SrvShard and EndPoints, which Vitess of that time reads and no copy writes: topo2topo graph rebuild ${to}`,
    );
  if (isCopied('Tablet') && !isCopied('ShardReplication'))
    steps.push(
      'copy ShardReplication, too, which was left out: without it nobody finds the replicas of a shard',
    );
  const hasGlobal = plan.scopes.some(({ scope }) => scope === GLOBAL);
  const isOpen = prepared.cells.every(({ name }) => prepared.openCells.includes(name));
  if (!hasGlobal && !isOpen)
    steps.push('copy the global part when all cells are there: --cells global; Vitess finds no cell before');
  if (!verified) steps.push('compare both sides with topo2topo verify and the same addresses');
  if (from === 'file' && into !== 'file' && kinds === undefined && !isClosed)
    steps.push(
      `look at what changed since the file was made: primaries are put right by VTOrc or TabletExternallyReparented, then topo2topo graph rebuild ${to} (docs/backup.md)`,
    );
  const isWhole = kinds === undefined && keyspaces === undefined && hasGlobal;
  if (from !== 'file' && into !== 'file' && isWhole)
    steps.push(
      'Vitess uses the source until its processes are restarted with the new address, and the copy is out of date as soon as they write: follow or --freeze, in the order of docs/freeze.md',
    );
  return steps;
}

/** Whether cells of the destination are in no CellInfo after a copy that was narrowed. */
function lacksCells(
  { destination }: Pair,
  { plan, cells, openCells }: PreparedCopy,
  { kinds, keyspaces }: Narrowing,
): boolean {
  const isBrought = keyspaces === undefined && (kinds === undefined || kinds.has('CellInfo'));
  // A file keeps the cells itself, and in the retired formats a configuration says where they are.
  const isElsewhere =
    destination.address.implementation === 'file' ||
    plan.scopes.some(({ transcoded }) => transcoded.to !== undefined);
  if (isBrought || isElsewhere || !plan.scopes.some(({ scope }) => scope === GLOBAL)) return false;
  return openCells.length === 0 || cells.some(({ name }) => !openCells.includes(name));
}

/** What to do after a follower ended by itself or by a signal. */
export function afterFollow(
  { equal, journal }: { readonly equal: boolean; readonly journal: boolean },
  { scopes, kinds, keyspaces }: Narrowing,
): string[] {
  const isWhole = [scopes, kinds, keyspaces].every((each) => each === undefined);
  return [
    journal
      ? 'to go on: the same command with --resume'
      : 'to go on: the same command; with --journal FILE and --resume it would also know what somebody else wrote to the destination meanwhile',
    ...(equal && isWhole ? ['to move: follow --until-equal --freeze, in the order of docs/freeze.md'] : []),
  ];
}

/** What to do while the locks of a freeze are kept, and after it. */
export function afterFreeze({ report, quiesced }: Pick<FreezeResult, 'report' | 'quiesced'>): string[] {
  if (!report.equal)
    return ['the sides differ: nothing moves; look at the differences, copy and freeze again'];
  return [
    'restart vtctld with the new address, then VTOrc with its recoveries off; compare, then switch recoveries on',
    'then vttablets: the replicas of a shard one at a time, a planned reparent, the old primary last; then vtbackup and jobs (docs/freeze.md)',
    ...(quiesced ? [] : ['see that nothing writes to the source any more: it is not sealed']),
  ];
}

/** Steps for people: `next: …`, or a list. */
export function nextText(io: Io, steps: readonly string[]): string {
  const { bold } = io.colors;
  if (steps.length <= 1) return steps.map((step) => `${bold('next')}: ${step}`).join('');
  return [`${bold('next')}:`, ...steps.map((step) => `  - ${step}`)].join('\n');
}
