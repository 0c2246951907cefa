import pLimit from 'p-limit';
import { ErrorCode, isTopologyError, type TopologyError } from '../../topo/errors.js';
import { KINDS, type Kind } from '../../topo/kinds.js';
import { type Cell, GLOBAL } from '../../topo/topology.js';
import { withBeside } from '../beside.js';
import type { Action } from '../entries.js';
import { objections } from '../guards.js';
import { GUARD_FLAGS } from '../objection.js';
import type { CopyOptions } from '../options.js';
import { type Part, type Parts, type PlaceCheck, partsOf } from '../parts.js';
import { planPart } from '../pass.js';
import type { Plan, ScopePlan } from '../plan.js';
import { objectionText } from '../stop.js';
import { PROTOBUF } from '../transcoded.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import { unreadable } from './reach.js';

/** What a copy is about, as far as it can be said where something is refused. */
export interface Placed {
  readonly parts: readonly Part[];
  /** Where the cells go, those without a place left out. */
  readonly cells: readonly Cell[];
  /** What lies beside them; undefined: it was refused. */
  readonly around?: Pick<Parts, 'global' | 'beside'> | undefined;
  readonly found: readonly Diagnosis[];
}

/** Finds out what would be copied to where, and what the copy would refuse before it reads records. */
export async function placeParts(options: CopyOptions): Promise<Placed> {
  const found: Diagnosis[] = [];
  const refuse = (error: TopologyError, check: PlaceCheck) => {
    found.push(diagnose(check, { path: error.path }, error.message, todoOf(error)));
  };
  try {
    const { parts, cells, global, beside } = await partsOf({ ...options, refuse });
    return { parts, cells, around: { global, beside }, found };
  } catch (error) {
    if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
    return { parts: [], cells: [], found: [...found, failed(error, undefined)] };
  }
}

/** Makes the plan of a copy; a part that cannot be planned is left out, and told, unless its stores are known to fail. */
export async function makePlan(
  { parts, cells, around, found }: Placed,
  options: CopyOptions,
  isReadable: (scope: string) => boolean,
): Promise<{ readonly plan: Plan; readonly found: readonly Diagnosis[] }> {
  const told: Diagnosis[] = [];
  const limit = pLimit(options.concurrency);
  // Its CellInfo cannot be planned for a cell that has no place.
  const kinds = found.some(({ id }) => id === 'cell-without-destination')
    ? new Set<Kind>([...(options.kinds ?? ALL_KINDS)].filter((kind) => kind !== 'CellInfo'))
    : options.kinds;
  const scopes = await Promise.all(
    parts
      .filter(({ scope }) => isReadable(scope))
      .map((part) =>
        limit(async (): Promise<ScopePlan[]> => {
          try {
            const context: Part['context'] = (from, to) => ({ ...part.context(from, to), kinds });
            return [await planPart({ ...part, context }, options)];
          } catch (error) {
            if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
            told.push(failed(error, part.scope));
            return [];
          }
        }),
      ),
  );
  const readable = around?.beside.filter(({ scope }) => isReadable(scope)) ?? [];
  const [global] = readable.filter(({ scope }) => scope === GLOBAL);
  const plan = { scopes: scopes.flat(), cells };
  if (global === undefined || told.length > 0) return { plan, found: told };
  try {
    const beside = { global, beside: readable };
    return { plan: await withBeside(plan.scopes, beside, cells, { ...options, kinds }), found: told };
  } catch (error) {
    if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
    return { plan, found: [...told, failed(error, undefined)] };
  }
}

const ALL_KINDS: readonly Kind[] = [
  ...KINDS.filter(({ copied }) => copied !== false).map(({ kind }) => kind),
  'Unknown',
];

/** What the guards of a copy object to. Held locks are left out: they are found with all that is known of them. */
export function objected(plan: Plan, options: CopyOptions): Diagnosis[] {
  return objections(plan, options.overrules ?? {}, options)
    .filter(({ guard }) => guard !== 'locks')
    .map((objection) => {
      const { guard, hint, overruled } = objection;
      return diagnose(
        guard === 'locks' ? 'lock-held' : guard,
        {},
        objectionText(objection),
        overruled
          ? { severity: 'note', todo: `nothing: ${GUARD_FLAGS[guard]} lets it pass` }
          : { todo: hint },
      );
    });
}

/** Whether records change their form on the way. */
export function transcodings({ scopes }: Plan): Diagnosis[] {
  const first = scopes.find(({ transcoded: { from, to } }) => from !== undefined || to !== undefined);
  if (first === undefined) return [];
  const { from = PROTOBUF, to = PROTOBUF } = first.transcoded;
  const records = scopes.flatMap((scope) => [...scope.writes(TRANSCODED)]).length;
  const read = scopes.flatMap(({ scope, transcoded }) =>
    [...transcoded.readBy.keys()].map((text) => `; in ${scope}, ${text}`),
  );
  const what = `records are rewritten from ${from} into ${to}: ${records} to write${read.join('')}`;
  return [diagnose('transcoded', {}, what)];
}

const TRANSCODED: ReadonlySet<Action> = new Set(['transcode']);

function failed(error: TopologyError, scope: string | undefined): Diagnosis {
  if (UNREADABLE.has(error.code)) return unreadable(error, { scope });
  return diagnose('plan-refused', { scope, path: error.path }, error.message, todoOf(error));
}

const UNREADABLE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.Unavailable,
  ErrorCode.Timeout,
  ErrorCode.Unauthorized,
]);

function todoOf({ hint }: TopologyError): { todo?: string } {
  return hint === undefined ? {} : { todo: hint };
}
