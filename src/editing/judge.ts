import { decode, decodeProblem } from '../topo/codec.js';
import { diffRecords, type FieldDifference } from '../topo/diff.js';
import { showLoss } from '../topo/told.js';
import { type Deed, effectsOf, type Fact, type Need } from './effects.js';
import { text } from './ranges.js';
import { readTablet, type Surroundings } from './surroundings.js';
import type { Target } from './target.js';

/** What a running cluster makes of a planned change, for whoever has to confirm it. */
export interface Reason {
  readonly scope: string;
  readonly path: string;
  readonly reason: string;
  readonly needs: Need;
}

type Written = Pick<Target, 'scope' | 'path' | 'row' | 'before'>;

/** The reasons about a record that is to become `after`. Pure. */
export function writeReasons({ scope, path, row, before }: Written, after: Uint8Array): Reason[] {
  const deed: Deed = before === undefined ? 'create' : 'update';
  const was = before?.bytes ?? new Uint8Array();
  const differences = row.message === null ? [] : differencesOf(row.message, was, after);
  const facts = new Map<Fact, string>();
  const lost = differences?.filter(({ path: at, b }) => b === undefined && /(^|\.)#\d+$/.test(at)) ?? [];
  if (lost.length > 0) facts.set('lost', lost.map(({ path: at }) => at).join(', '));
  noteUnplaced(facts, before);
  if (row.kind === 'Tablet' && hostname(was) !== '' && hostname(after) === '') facts.set('blanked', '');
  const fields = differences && new Set(differences.map(({ path: at }) => at.split(/[.[]/)[0] ?? ''));
  return effectsOf({ kind: row.kind, deed, fields, facts }).map((effect) => ({ scope, path, ...effect }));
}

/** Undefined where one side does not decode: any field may differ. */
function differencesOf(message: string, a: Uint8Array, b: Uint8Array): FieldDifference[] | undefined {
  if (decodeProblem(message, a) !== undefined || decodeProblem(message, b) !== undefined) return undefined;
  return diffRecords(message, a, b);
}

function hostname(tablet: Uint8Array): string {
  if (decodeProblem('topodata.Tablet', tablet) !== undefined) return '';
  return text(decode('topodata.Tablet', tablet).json['hostname']);
}

/** The reasons about a record that is to be deleted, together with those at `leaving`, which are of the same scope. */
export async function deleteReasons(
  { scope, path, row, names, before }: Target,
  around: Surroundings,
  leaving: ReadonlySet<string>,
): Promise<Reason[]> {
  const facts = new Map<Fact, string>();
  noteUnplaced(facts, before);
  const keyspace = names['keyspace'] ?? '';
  if (row.kind === 'Tablet') {
    const tablet = readTablet(path, before);
    if (tablet === undefined) facts.set('unseen', 'the record does not decode');
    else if ((await around.primaryOf(tablet.keyspace, tablet.shard)) === tablet.alias)
      facts.set('primary', `${tablet.keyspace}/${tablet.shard}`);
  } else if (row.kind === 'Shard') {
    await noteTablets(
      facts,
      around,
      (tablet) => tablet.keyspace === keyspace && tablet.shard === names['shard'],
    );
  } else if (row.kind === 'Keyspace') {
    const shards = await around.shardsOf(keyspace);
    const staying = shards.filter((shard) => !leaving.has(`keyspaces/${keyspace}/shards/${shard}/Shard`));
    if (staying.length > 0) facts.set('shards', some(staying));
    await noteTablets(facts, around, (tablet) => tablet.keyspace === keyspace);
  }
  const judged = { kind: row.kind, deed: 'delete' as const, fields: undefined, facts };
  return effectsOf(judged).map((effect) => ({ scope, path, ...effect }));
}

/** What is not in the bytes of a record as they were read, and so in nothing that is made of them. */
function noteUnplaced(facts: Map<Fact, string>, before: Target['before']): void {
  const { losses = [], unreadable } = before?.told ?? {};
  if (unreadable !== undefined) facts.set('unplaced', 'all of it, which is in no known form');
  else if (losses.length > 0) facts.set('unplaced', some(losses.map(showLoss)));
}

async function noteTablets(
  facts: Map<Fact, string>,
  around: Surroundings,
  isOwn: (tablet: { readonly keyspace: string; readonly shard: string }) => boolean,
): Promise<void> {
  const { tablets, unseen } = await around.tablets();
  const own = tablets.filter(isOwn).map(({ alias }) => alias);
  if (own.length > 0) facts.set('tablets', some(own));
  if (unseen.length > 0) facts.set('unseen', some(unseen));
}

function some(names: readonly string[]): string {
  return `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
}

const SHOWN = 4;
