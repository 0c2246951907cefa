/**
 * The operations of ZooKeeper's client protocol, one row each: opcode, request and answer
 * (ZooDefs.OpCode and zookeeper.jute in ZooKeeper's source). A new operation is a new row.
 */

import { CreateMode, type ZkCode } from './client.js';
import {
  acl,
  bool,
  buffer,
  type Field,
  int,
  type JuteReader,
  type JuteWriter,
  long,
  malformed,
  type Reads,
  record,
  stat,
  ustring,
  vector,
} from './jute.js';

/** One operation: what its request holds (`Q`) and what its answer holds (`A`). */
export interface Operation<Q = unknown, A = unknown> {
  readonly name: string;
  readonly code: number;
  readonly request: Field<Q, unknown>;
  readonly answer: Field<unknown, A>;
}

function row<Q, R, A, B>(name: string, code: number, request: Field<Q, R>, answer: Field<A, B>) {
  return { name, code, request, answer };
}

type Written<F> = F extends Field<infer In, unknown> ? In : never;

const empty: Field<object> = { write: () => {}, read: () => ({}) };
const acls = vector(acl, 12);
const creationFields = record({ path: ustring, data: buffer, acl: acls, flags: int });
/** Written by hand: once per node of a batch, as its answer is read. Without flags a node is persistent. */
const creation: Field<
  Omit<Written<typeof creationFields>, 'flags'> & { readonly flags?: number },
  ReturnType<typeof creationFields.read>
> = {
  write: (writer, { path, data, acl: allowed, flags = CreateMode.Persistent }) => {
    writer.string(path);
    writer.buffer(data);
    acls.write(writer, allowed);
    writer.int(flags);
  },
  read: (reader) => creationFields.read(reader),
};
const pathAndVersion = record({ path: ustring, version: int });
const read = record({ path: ustring, watch: bool });
/** Part of a multiRead, which sets no watches. */
const unwatched: Field<{ readonly path: string }, Reads<{ path: typeof ustring; watch: typeof bool }>> = {
  write: (writer, { path }) => {
    writer.string(path);
    writer.bool(false);
  },
  read: (reader) => read.read(reader),
};
const aclAnswer = record({ acl: acls, stat });

const create = row('create', 1, creation, record({ path: ustring }));
const remove = row('delete', 2, pathAndVersion, empty);
const getData = row('getData', 4, read, record({ data: buffer, stat }));
const setData = row('setData', 5, record({ path: ustring, data: buffer, version: int }), record({ stat }));
const getChildren = row('getChildren', 8, read, record({ children: vector(ustring, 4) }));
const check = row('check', 13, pathAndVersion, empty);
const create2 = row('create', 15, creation, record({ path: ustring, stat }));
const createTtl = row(
  'create',
  21,
  record({ path: ustring, data: buffer, acl: acls, flags: int, ttlMs: long }),
  record({ path: ustring, stat }),
);
const createContainer = row('create', 19, creation, record({ path: ustring, stat }));

/** A failed entry of a batch. */
export interface EntryError {
  readonly type: 'error';
  readonly code: ZkCode;
}

interface Entry {
  readonly type: string;
}
/** Reads the answer to one operation of a batch, its type included. */
type ReadEntry = (reader: JuteReader) => Entry;
type BatchRow = Operation & { readonly entry?: ReadEntry };
type RequestEntry<R> = {
  [K in keyof R]: R[K] extends { readonly request: Field<infer Q, unknown> }
    ? { readonly type: K } & Q
    : never;
}[keyof R];
type AnswerEntry<R> = {
  [K in keyof R]: R[K] extends { readonly answer: { read(reader: JuteReader): infer A } }
    ? { readonly type: K } & A
    : never;
}[keyof R];

const failure = row('error', -1, empty, record({ code: int }));

/**
 * Several operations as one. Before each a header (opcode, false, error code), at the end (-1, true, -1); an entry of
 * opcode -1 is an error. Requests and answers are framed alike. An entry's type is the key of its row.
 */
function batch<R extends Readonly<Record<string, BatchRow>>>(name: string, code: number, rows: R) {
  const known: readonly [string, BatchRow][] = [...Object.entries(rows), ['error', failure]];
  const byType = new Map(known);
  const readers = (part: 'request' | 'answer') =>
    new Map<number, ReadEntry>(
      known.map(([type, each]) => {
        const { entry } = each;
        if (part === 'answer' && entry !== undefined) return [each.code, entry];
        return [each.code, (reader) => Object.assign({ type }, each[part].read(reader))];
      }),
    );
  const header = (writer: JuteWriter, opcode: number, done: boolean): void => {
    writer.int(opcode);
    writer.bool(done);
    writer.int(-1);
  };
  const framed = (part: 'request' | 'answer'): Field<unknown> => {
    const byCode = readers(part);
    return {
      write: (writer, entries) => {
        for (const entry of entries as readonly Entry[]) {
          const found = byType.get(entry.type);
          if (found === undefined) throw new TypeError(`${entry.type} cannot be part of ${name}`);
          header(writer, found.code, false);
          found[part].write(writer, entry);
        }
        header(writer, -1, true);
      },
      read: (reader) => {
        const entries: Entry[] = [];
        for (;;) {
          const opcode = reader.int();
          const done = reader.bool();
          reader.int();
          if (done) return entries;
          const found = byCode.get(opcode);
          if (found === undefined) throw malformed(`operation ${opcode} in ${name}`);
          entries.push(found(reader));
        }
      },
    };
  };
  return row(
    name,
    code,
    framed('request') as Field<readonly RequestEntry<R>[]>,
    framed('answer') as Field<readonly (AnswerEntry<R> | EntryError)[]>,
  );
}

/** By hand: read once per node of a scan. */
function readDataEntry(reader: JuteReader) {
  return { type: 'getData', data: reader.buffer(), stat: reader.stat() } as const;
}

/** By hand, too. */
function createEntry(reader: JuteReader) {
  return { type: 'create', path: reader.string() } as const;
}

/** Every operation the client knows. */
export const operations = {
  create,
  /** As create, and the Stat in the answer. */
  create2,
  createContainer,
  createTtl,
  delete: remove,
  exists: row('exists', 3, read, record({ stat })),
  getData,
  setData,
  getAcl: row('getAcl', 6, record({ path: ustring }), aclAnswer),
  setAcl: row('setAcl', 7, record({ path: ustring, acl: acls, version: int }), record({ stat })),
  getChildren,
  sync: row('sync', 9, record({ path: ustring }), record({ path: ustring })),
  ping: row('ping', 11, empty, empty),
  getChildren2: row('getChildren', 12, read, record({ children: vector(ustring, 4), stat })),
  /** The answer to a createContainer or createTtl inside says create2. */
  multi: batch('multi', 14, {
    create: { ...create, entry: createEntry },
    create2,
    createContainer,
    createTtl,
    delete: remove,
    setData,
    check,
  }),
  /** Every entry is answered on its own. */
  multiRead: batch('multiRead', 22, {
    getData: { ...getData, request: unwatched, entry: readDataEntry },
    getChildren: { ...getChildren, request: unwatched },
  }),
  addWatch: row('addWatch', 106, record({ path: ustring, mode: int }), empty),
  removeWatches: row('removeWatches', 18, record({ path: ustring, type: int }), empty),
  auth: row('auth', 100, record({ kind: int, scheme: ustring, auth: buffer }), empty),
  closeSession: row('closeSession', -11, empty, empty),
};

const MODERN = new Set<number>([
  operations.create2.code,
  operations.createContainer.code,
  operations.createTtl.code,
  operations.multiRead.code,
  operations.addWatch.code,
  operations.removeWatches.code,
]);

/** Whether servers before 3.6 do not know the operation, or cannot be trusted to. */
export function isModern(operation: { readonly code: number }): boolean {
  return MODERN.has(operation.code);
}

/** First message of a connection, without xid and opcode. A `sessionId` of 0n asks for a new session. */
export const connectRequest = record({
  protocolVersion: int,
  lastZxidSeen: long,
  timeoutMs: int,
  sessionId: long,
  password: buffer,
  readOnly: bool,
});

/** Its answer, without a header. A time-out of 0 means that the session has expired. A trailing flag is not read. */
export const connectAnswer = record({
  protocolVersion: int,
  timeoutMs: int,
  sessionId: long,
  password: buffer,
});

/** What a notification holds after its header. */
export const watcherEvent = record({ type: int, state: int, path: ustring });

/** Modes of addWatch. */
export const WatchMode = { Plain: 0, Recursive: 1 } as const;
/** What removeWatches takes: every watch of this connection on the path. Types for one kind alone came with 3.9. */
export const ANY_WATCH = 3;

/** Numbers in place of an xid. */
export const Xid = { Notification: -1, Ping: -2, Auth: -4 } as const;
