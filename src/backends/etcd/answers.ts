/** What etcd's v2 API answers, in JSON. */

/** A file or directory, as etcd has it. */
export interface Node {
  /** Absolute; begins with a slash. */
  readonly key: string;
  /** Undefined: a directory. */
  readonly value: string | undefined;
  /** Of a directory, as far as it was asked for; without what is hidden. */
  readonly nodes: readonly Node[];
  /** Of a file never given twice; of a directory that of its creation. */
  readonly modifiedIndex: number;
  readonly createdIndex: number;
  /** Seconds until it goes away. Undefined: it stays. */
  readonly ttl: number | undefined;
}

/** Why etcd did not do what it was asked for, by its own numbers. Nothing was changed. */
export const REFUSALS = {
  keyNotFound: 100,
  compareFailed: 101,
  notAFile: 102,
  notADirectory: 104,
  nodeExists: 105,
  directoryNotEmpty: 108,
  eventsCleared: 401,
} as const;
export type Refusal = (typeof REFUSALS)[keyof typeof REFUSALS];

/** The answer to a request about a key. */
export interface Answer {
  /** What is there, or what happened to it; undefined: it was refused. */
  readonly node: Node | undefined;
  /** Undefined: it was not refused. */
  readonly refused: Refusal | undefined;
  /** Index of the store: that of the last change of any key. */
  readonly index: number;
  /** Id of the cluster; empty where the server does not tell. */
  readonly cluster: string;
}

/** The answer is none that etcd gives. */
export class Misunderstood extends Error {}

export function toNode(raw: unknown): Node {
  const [key, value, nodes] = [field(raw, 'key'), field(raw, 'value'), field(raw, 'nodes')];
  const isDirectory = field(raw, 'dir') === true;
  if (typeof key !== 'string' && !isDirectory) throw new Misunderstood('no key');
  const ttl = field(raw, 'ttl');
  return {
    // The root directory is given without one.
    key: typeof key === 'string' ? key : '/',
    value: isDirectory ? undefined : typeof value === 'string' ? value : '',
    nodes: Array.isArray(nodes) ? nodes.map(toNode) : [],
    modifiedIndex: indexOf(field(raw, 'modifiedIndex') ?? 0),
    createdIndex: indexOf(field(raw, 'createdIndex') ?? 0),
    ttl: typeof ttl === 'number' ? ttl : undefined,
  };
}

/** The number of an error; undefined: it is none. */
export function errorCodeOf(body: unknown): number | undefined {
  const code = field(body, 'errorCode');
  return typeof code === 'number' ? code : undefined;
}

export function isRefusal(code: number | undefined): code is Refusal {
  return KNOWN.has(code);
}

const KNOWN: ReadonlySet<number | undefined> = new Set(Object.values(REFUSALS));

/** An index as a header or a field of JSON has it. */
export function indexOf(raw: unknown): number {
  const index = Number(raw);
  if (raw === undefined || !Number.isSafeInteger(index)) throw new Misunderstood('no index');
  return index;
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
