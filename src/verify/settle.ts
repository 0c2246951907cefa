import pLimit from 'p-limit';
import type { Clock } from '../topo/clock.js';
import type { CallOptions, Connection, Value } from '../topo/connection.js';
import { find } from '../topo/find.js';
import type { Pair } from '../topo/join.js';
import { sleep } from '../topo/sleep.js';
import { type Comparison, isDifference } from './compare.js';

/** The side that is right: what it holds is on its way to the other one. */
export type Authority = 'source' | 'destination';

/** How a comparison bears with stores that are written to. */
export interface Settling {
  readonly clock: Clock;
  readonly authority: Authority;
  /** Milliseconds that a change may take to get there. What stands unmoved on both sides for so long is a difference. */
  readonly forMs: number;
  /** Milliseconds after which what still moves is given up. Default: four times as long. */
  readonly limitMs?: number | undefined;
}

/** What a path came to. */
export interface Settled {
  readonly pair: Pair;
  readonly comparison: Comparison;
  /** False: it differed each time it was read, and was another difference each time. */
  readonly stands: boolean;
}

/** The stores of one part; undefined: a side does not have it. */
export interface PartStores {
  readonly source: Connection | undefined;
  readonly destination: Connection | undefined;
}

const READS_AT_A_TIME = 16;

/**
 * Reads again the paths that were `differing` when both sides were scanned, each time at one moment of the authority, until they are equal, or
 * have stood unmoved for {@link Settling.forMs}. `stores` is asked for each round: a cell may have come up meanwhile.
 */
export async function settle(
  differing: readonly string[],
  stores: () => Promise<PartStores>,
  compare: (pair: Pair) => Comparison,
  { clock, authority, forMs, limitMs = 4 * forMs }: Settling,
  call: CallOptions,
): Promise<Settled[]> {
  const settled: Settled[] = [];
  const began = clock.now();
  let open = differing.map((path): Open => ({ path, state: undefined, since: 0 }));
  for (;;) {
    const round = clock.now();
    const paths = open.map(({ path }) => path);
    const states = await readStates(paths, await stores(), authority, call);
    const read = clock.now();
    const isLast = read - began >= limitMs;
    open = open.flatMap((each, index): Open[] => {
      const { pair, state } = states[index] as State;
      const comparison = compare(pair);
      const isSame = state !== undefined && state === each.state;
      const stands = isSame && round - each.since >= forMs;
      const isEqual = state !== undefined && !isDifference(comparison.outcome);
      if (isEqual || stands || isLast) {
        settled.push({ pair, comparison, stands: isEqual || stands });
        return [];
      }
      return [isSame ? each : { path: each.path, state, since: read }];
    });
    if (open.length === 0) return settled;
    await sleep(clock, Math.min(MAX_PAUSE_MS, forMs / 10), call.signal ?? NEVER);
  }
}

const MAX_PAUSE_MS = 500;
const NEVER = new AbortController().signal;

/** A path that is not decided, the state in which it was last, and since when it is known to be in it. */
interface Open {
  readonly path: string;
  readonly state: string | undefined;
  readonly since: number;
}

/** What both sides hold at a path; `state` undefined: the authority moved while it was read. */
export interface State {
  readonly pair: Pair;
  readonly state: string | undefined;
}

/** The authority's records, then the other side's, then the authority's again. Positions bring stale servers up to date. */
export async function readStates(
  paths: readonly string[],
  { source, destination }: PartStores,
  authority: Authority,
  call: CallOptions,
): Promise<State[]> {
  const isSource = authority === 'source';
  const [right, other] = isSource ? [source, destination] : [destination, source];
  const before = await readOf(right, paths, call);
  const between = await readOf(other, paths, call);
  const after = await readOf(right, paths, call);
  return paths.map((path, index) => {
    const [first, second, third] = [before[index], between[index], after[index]];
    const at = (value: Value | undefined) => (value === undefined ? undefined : { path, ...value });
    const [a, b] = isSource ? [third, second] : [second, third];
    const stood = first?.version.token === third?.version.token;
    return {
      pair: { path, a: at(a), b: at(b) },
      state: stood ? `${third?.version.token ?? ABSENT}\0${second?.version.token ?? ABSENT}` : undefined,
    };
  });
}

/** No version is called that. */
const ABSENT = '';

async function readOf(
  store: Connection | undefined,
  paths: readonly string[],
  call: CallOptions,
): Promise<(Value | undefined)[]> {
  if (store === undefined) return paths.map(() => undefined);
  await store.position(call);
  const limit = pLimit(READS_AT_A_TIME);
  return Promise.all(paths.map((path) => limit(() => find(store, path, call))));
}
