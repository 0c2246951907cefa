import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { CallOptions, Connection, StoredRecord, WriteOp } from '../../src/topo/connection.js';
import { operationBytes } from '../../src/topo/connection.js';
import { type ErrorCode, TopologyError } from '../../src/topo/errors.js';
import type { Version } from '../../src/topo/version.js';

/** How long one sentence may take. */
export const SENTENCE_LIMIT_MS = 120_000;
/** Longer than anything that goes well takes, on a busy machine. */
export const PATIENCE_MS = 15_000;
/** How long after its deadline a call may still be open: the contract's "moments", on a busy machine. */
export const MOMENTS_MS = 1_000;

export const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

/** `value`, which the sentence knows to be there. */
export function must<T>(value: T | undefined | null, what = 'a value'): T {
  assert.ok(value !== undefined && value !== null, `expected ${what}`);
  return value;
}

/** Bytes that are the same in every run and not compressible to nothing; of ASCII, which every store keeps. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = 0x20 + ((state >>> 24) % 95);
  }
  return bytes;
}

/** Equality of bytes, whatever array holds them; says where they differ instead of printing them. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array, `${what}: not bytes`);
  const [a, b] = [Buffer.from(actual), Buffer.from(expected)];
  if (a.equals(b)) return;
  const short = (bytes: Buffer) =>
    bytes.length <= 80 ? JSON.stringify(bytes.toString()) : `${bytes.length} bytes`;
  assert.fail(`${what}: ${short(a)} instead of ${short(b)}`);
}

/** The record at `path` holds exactly `expected`. Gives its version. */
export async function holds(
  connection: Connection,
  path: string,
  expected: Uint8Array | string,
): Promise<Version> {
  const value = await connection.get(path);
  sameBytes(value.bytes, typeof expected === 'string' ? utf8(expected) : expected, `record ${path}`);
  return value.version;
}

/** Nothing is at `path`. */
export async function absent(connection: Connection, path: string): Promise<void> {
  await refuses(connection, 'NoNode', connection.get(path), { path });
}

/**
 * `work` fails with one of `codes`, and its error is what the contract says every error is. `path` and `index` are
 * compared when given.
 */
export async function refuses(
  connection: Pick<Connection, 'store'>,
  codes: ErrorCode | readonly ErrorCode[],
  work: Promise<unknown>,
  where: { readonly path?: string | undefined; readonly index?: number | undefined } = {},
): Promise<TopologyError> {
  const allowed: readonly ErrorCode[] = typeof codes === 'string' ? [codes] : codes;
  const wanted = allowed.join(' or ');
  const error = await failure(work, wanted);
  assert.ok(
    allowed.includes(error.code),
    `expected ${wanted}, got ${error.code}: ${error.message}${error.cause === undefined ? '' : ` [${String(error.cause)}]`}`,
  );
  assert.equal(error.store, connection.store, `${error.code}: the error names its store`);
  if (where.path !== undefined)
    assert.equal(error.path, where.path, `${error.code}: the error names its path`);
  if (where.index !== undefined)
    assert.equal(error.index, where.index, `${error.code}: the error names the operation`);
  return error;
}

/** The TopologyError that `work` ends with. */
export async function failure(work: Promise<unknown>, wanted = 'a failure'): Promise<TopologyError> {
  let answer: unknown;
  try {
    answer = await work;
  } catch (error) {
    assert.ok(error instanceof TopologyError, `expected a TopologyError, got ${String(error)}`);
    return error;
  }
  return assert.fail(
    `expected ${wanted}, but the call succeeded${answer === undefined ? '' : ' with a value'}`,
  );
}

/** What `work` comes to within `ms`; fails by name when it hangs. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what}: nothing after ${ms} ms` })),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Repeats `attempt` until it neither throws nor answers false. */
export async function eventually<T>(what: string, attempt: () => Promise<T>, ms = PATIENCE_MS): Promise<T> {
  const limit = Date.now() + ms;
  for (;;) {
    let problem: unknown = 'not yet';
    try {
      const answer = await attempt();
      if (answer !== false) return answer;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > limit) assert.fail(`${what}: not within ${ms} ms: ${String(problem)}`);
    await pause(10);
  }
}

/** Lets other work go on for a moment. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** First item of an iterable, leaving it then. */
export async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  return assert.fail('the iteration ended without an item');
}

/** All records of a scan, and the positions of its first and last page. */
export async function scanAll(
  connection: Connection,
  prefix = '',
  options?: CallOptions,
): Promise<{ records: StoredRecord[]; pages: number; first: bigint; last: bigint }> {
  const records: StoredRecord[] = [];
  const positions: bigint[] = [];
  for await (const page of connection.scan(prefix, options)) {
    for (const record of page.records) records.push(record);
    positions.push(page.position);
  }
  assert.ok(positions.length > 0, 'a scan has at least one page');
  return { records, pages: positions.length, first: must(positions[0]), last: must(positions.at(-1)) };
}

/** Paths of a scan, in its order. */
export async function scanPaths(connection: Connection, prefix = ''): Promise<string[]> {
  return (await scanAll(connection, prefix)).records.map((record) => record.path);
}

/** `work` leaves every record as it was, version included. */
export async function changesNothing<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  const before = await picture(connection);
  const answer = await work();
  assert.deepEqual(await picture(connection), before, 'something was changed');
  return answer;
}

/** Every record of a connection as path → version and contents. */
export async function picture(connection: Connection): Promise<Record<string, string>> {
  const shown = Object.create(null) as Record<string, string>;
  for (const { path, bytes, version } of (await scanAll(connection)).records)
    shown[path] = `${version} ${createHash('sha256').update(bytes).digest('hex')}`;
  return shown;
}

/** Creates many records, in batches as large as the store takes, several at a time; one by one where it takes none. */
export async function createMany(
  connection: Connection,
  records: Iterable<readonly [path: string, bytes: Uint8Array]>,
): Promise<void> {
  const inBatches = connection.capabilities.batch.maxOps > 0;
  const batches = inBatches ? batched(connection, records) : undefined;
  const singles = records[Symbol.iterator]();
  const worker = async () => {
    if (batches !== undefined) for (const batch of batches) await connection.write(batch);
    else
      for (let one = singles.next(); one.done !== true; one = singles.next())
        await connection.create(...one.value);
  };
  await Promise.all(Array.from({ length: inBatches ? 4 : 64 }, worker));
}

function* batched(
  { capabilities }: Connection,
  records: Iterable<readonly [path: string, bytes: Uint8Array]>,
): Generator<WriteOp[]> {
  const maxOps = Math.min(capabilities.batch.maxOps, 2_000);
  let batch: WriteOp[] = [];
  let total = 0;
  for (const [path, bytes] of records) {
    const op: WriteOp = { type: 'create', path, bytes };
    const size = operationBytes(op);
    if (batch.length > 0 && (batch.length >= maxOps || total + size > capabilities.batch.maxBytes)) {
      yield batch;
      batch = [];
      total = 0;
    }
    batch.push(op);
    total += size;
  }
  if (batch.length > 0) yield batch;
}

/** Names or paths in the byte order of their UTF-8, found without the code under test. */
export function inByteOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => Buffer.compare(utf8(a), utf8(b)));
}

export const create = (path: string, bytes: Uint8Array | string = 'new'): WriteOp => ({
  type: 'create',
  path,
  bytes: typeof bytes === 'string' ? utf8(bytes) : bytes,
});
export const update = (path: string, version: Version, bytes: Uint8Array | string = 'newer'): WriteOp => ({
  type: 'update',
  path,
  version,
  bytes: typeof bytes === 'string' ? utf8(bytes) : bytes,
});
export const remove = (path: string, version: Version | null = null): WriteOp => ({
  type: 'delete',
  path,
  version,
});
export const check = (path: string, version: Version | null): WriteOp => ({ type: 'check', path, version });
