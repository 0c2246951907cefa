import { fieldsOrProblem } from '../topo/codec.js';
import type { CallOptions, Value } from '../topo/connection.js';
import { traceDifferences } from '../topo/diff.js';
import { find } from '../topo/find.js';
import type { Pair } from '../topo/join.js';
import { classify } from '../topo/kinds.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { type Group, groupOf } from './digest.js';
import type { Difference } from './report.js';
import { kindName } from './rule-names.js';
import type { Moved } from './since.js';

/** What both sides held before. */
export interface Baseline {
  /** Whether it needs the digests of what both sides hold now. */
  readonly needsDigests: boolean;
  /** What moved at the path of a difference; `groups`: the digests of its part, where they are needed. */
  moved(difference: Difference, pair: Pair, groups: readonly Group[]): Promise<Moved>;
}

/** A baseline that is a topology, such as a backup in a file, which stays open. */
export function baselineOf(topology: Topology, call: CallOptions): Baseline {
  let cells: ReturnType<Topology['cells']> | undefined;
  const storeOf = async (scope: string) => {
    if (scope === GLOBAL) return topology.global;
    cells ??= topology.cells(call);
    const cell = (await cells).find(({ name }) => name === scope);
    return cell === undefined ? undefined : topology.cell(cell);
  };
  return {
    needsDigests: false,
    async moved({ scope, path, kind }, { a, b }) {
      const store = await storeOf(scope);
      const was = store === undefined ? undefined : await find(store, path, call);
      const { message } = classify(scope === GLOBAL ? 'global' : 'cell', path, false);
      const [source, destination] = [a, b].map((side) => changes(message, was, side));
      const fields = { source, destination };
      return {
        was: was !== undefined,
        source: source !== undefined,
        destination: destination !== undefined,
        field: (side, full) => (fields[side] ?? []).some((each) => meet(`${kindName(kind)}.${each}`, full)),
      };
    },
  };
}

/** A baseline of which only digests are known, by part: whatever is in a group that moved may have moved. */
export function baselineOfDigests(parts: ReadonlyMap<string, readonly Group[]>): Baseline {
  return {
    needsDigests: true,
    async moved({ scope, path, kind }, _pair, groups) {
      const name = groupOf(kind, path);
      const [was, is] = [parts.get(scope) ?? [], groups].map((all) => all.find((each) => each.name === name));
      const moved = {
        source: was?.source.digest !== is?.source.digest,
        destination: was?.destination.digest !== is?.destination.digest,
      };
      return { was: was === undefined ? false : undefined, ...moved, field: (side) => moved[side] };
    },
  };
}

/** Paths of fields that differ between two states; undefined: none. Records that cannot be compared so give the path of them all. */
function changes(
  message: string | null,
  was: Value | undefined,
  is: Value | undefined,
): string[] | undefined {
  if (was === undefined || is === undefined) return was === is ? undefined : [''];
  if (Buffer.compare(was.bytes, is.bytes) === 0) return undefined;
  if (message === null) return [''];
  if ([was, is].some(({ bytes }) => typeof fieldsOrProblem(message, bytes) === 'string')) return [''];
  const paths = traceDifferences(message, was.bytes, is.bytes).map(({ path }) => path);
  return paths.length === 0 ? undefined : paths;
}

/** Whether one path is within the other. */
function meet(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  return (
    long.startsWith(short) && (short.endsWith('.') || ['', '.', '['].includes(long.charAt(short.length)))
  );
}
