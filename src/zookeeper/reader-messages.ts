import { type MultiRead, type Stat, type ZkCode, ZooKeeperError } from './client.js';
import type { NativeStat } from './native-addon.js';

/** What is sent to the process that reads with the `zookeeper` package. `reader` is one session of it. */
export type ToReader =
  | { readonly type: 'open'; readonly reader: number; readonly settings: ReaderSettings }
  | {
      readonly type: 'read';
      readonly reader: number;
      readonly call: number;
      readonly timeoutMs: number;
      /** Whether the server is to have all that the leader has before anything is read. */
      readonly sync: boolean;
      readonly reads: readonly MultiRead[];
    }
  | { readonly type: 'close'; readonly reader: number };

/** What it answers. `code` 0 is success. */
export type FromReader =
  | { readonly type: 'opened'; readonly reader: number; readonly code: ZkCode; readonly why: string }
  | {
      readonly type: 'answer';
      readonly call: number;
      /** The session that gave it: after an expiry another one. */
      readonly session: bigint;
      readonly results: PackedResults;
    }
  | { readonly type: 'failed'; readonly call: number; readonly code: ZkCode; readonly why: string };

/** How a reader connects. It has secrets in it, so it goes over the channel and nowhere else. */
export interface ReaderSettings {
  readonly servers: readonly string[];
  readonly sessionTimeoutMs: number | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly auth: readonly { readonly scheme: string; readonly auth: string }[];
}

/** One read as the addon answers it. */
export type RawResult =
  | { readonly type: 'getData'; readonly data: Buffer | null; readonly stat: NativeStat }
  | { readonly type: 'getChildren'; readonly children: readonly string[]; readonly stat: NativeStat }
  | { readonly type: 'error'; readonly code: ZkCode };

/** One read as it is given on: as of a multiRead, and the Stat of what was listed. */
export type ReadResult =
  | { readonly type: 'getData'; readonly data: Buffer | null; readonly stat: Stat }
  | { readonly type: 'getChildren'; readonly children: readonly string[]; readonly stat: Stat }
  | { readonly type: 'error'; readonly code: ZkCode };

/** Many results in few values: what makes a message dear is how many objects it has, not how many bytes. */
export interface PackedResults {
  /** For each result {@link WIDTH} numbers. */
  readonly numbers: Float64Array;
  /** The data of all znodes, one after the other. */
  readonly bytes: Buffer;
  /** Names of the children of each listed znode. */
  readonly names: readonly (readonly string[])[];
  /** Owners of the znodes that have one, by the index of the result. */
  readonly owners: ReadonlyMap<number, bigint>;
}

/** Kinds of results, as the first of their numbers. */
const DATA = 0;
const CHILDREN = 1;
const FAILED = 2;
/** Kind; bytes of data, -1 for none, or the code of a failure; then the Stat without its owner. */
const WIDTH = 12;

/** The addon gives zxids as doubles, so that none of its numbers loses anything here. */
export function packResults(results: readonly RawResult[]): PackedResults {
  const numbers = new Float64Array(results.length * WIDTH);
  const parts: Buffer[] = [];
  const names: (readonly string[])[] = [];
  const owners = new Map<number, bigint>();
  for (const [index, result] of results.entries()) {
    const at = index * WIDTH;
    if (result.type === 'error') {
      numbers.set([FAILED, result.code], at);
      continue;
    }
    const { stat } = result;
    const data = result.type === 'getData' ? result.data : null;
    if (data !== null) parts.push(data);
    if (result.type === 'getChildren') names.push(result.children);
    const kind = result.type === 'getData' ? DATA : CHILDREN;
    numbers.set([kind, data?.byteLength ?? -1, ...numbersOf(stat)], at);
    if (stat.ephemeralOwner !== '0') owners.set(index, BigInt.asIntN(64, BigInt(`0x${stat.ephemeralOwner}`)));
  }
  return { numbers, bytes: Buffer.concat(parts), names, owners };
}

export function unpackResults({ numbers, bytes, names, owners }: PackedResults): ReadResult[] {
  const results: ReadResult[] = [];
  let from = 0;
  let listed = 0;
  for (let at = 0; at < numbers.length; at += WIDTH) {
    const [kind, number = -1] = numbers.subarray(at, at + 2);
    if (kind === FAILED) {
      results.push({ type: 'error', code: number });
      continue;
    }
    const stat = statOf(numbers.subarray(at + 2, at + WIDTH), owners.get(at / WIDTH) ?? 0n);
    if (kind === CHILDREN) {
      results.push({ type: 'getChildren', children: names[listed++] ?? [], stat });
      continue;
    }
    const data = number < 0 ? null : bytes.subarray(from, from + number);
    from += data?.byteLength ?? 0;
    results.push({ type: 'getData', data, stat });
  }
  return results;
}

/** In the order in which {@link statOf} reads them. */
function numbersOf(stat: NativeStat): number[] {
  return [
    stat.czxid,
    stat.mzxid,
    stat.pzxid,
    stat.ctime.getTime(),
    stat.mtime.getTime(),
    stat.version,
    stat.cversion,
    stat.aversion,
    stat.dataLength,
    stat.numChildren,
  ];
}

function statOf(numbers: Float64Array, ephemeralOwner: bigint): Stat {
  const [czxid = 0, mzxid = 0, pzxid = 0, ctime = 0, mtime = 0, version = 0] = numbers;
  const [cversion = 0, aversion = 0, dataLength = 0, numChildren = 0] = numbers.subarray(6);
  return {
    czxid: BigInt(czxid),
    mzxid: BigInt(mzxid),
    ctime,
    mtime,
    version,
    cversion,
    aversion,
    ephemeralOwner,
    dataLength,
    numChildren,
    pzxid: BigInt(pzxid),
  };
}

/** Code and words of a failure, for a message. */
export function told(error: unknown): { readonly code: ZkCode; readonly why: string } {
  if (error instanceof ZooKeeperError) return { code: error.code, why: error.message };
  throw error;
}
