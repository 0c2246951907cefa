import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Acl, type Stat, ZkCode, ZooKeeperError } from '../../src/zookeeper/client.js';
import { type Field, JuteReader, JuteWriter } from '../../src/zookeeper/jute.js';
import { connectAnswer, connectRequest, operations, watcherEvent } from '../../src/zookeeper/protocol.js';
import { encodeRequest, framed } from '../../src/zookeeper/requests.js';
import { numbersOf } from './support.js';

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const millis = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
const data = fc.option(bytes);
const acl: fc.Arbitrary<Acl> = fc.record({ perms: int32, scheme: text, id: text });
const acls = fc.array(acl, { maxLength: 4 });
const names = fc.array(text, { maxLength: 20 });
const stat: fc.Arbitrary<Stat> = fc.record({
  czxid: int64,
  mzxid: int64,
  ctime: millis,
  mtime: millis,
  version: int32,
  cversion: int32,
  aversion: int32,
  ephemeralOwner: int64,
  dataLength: int32,
  numChildren: int32,
  pzxid: int64,
});

const nothing = fc.constant({});
const creation = fc.record({ path: text, data, acl: acls, flags: int32 });
const mortal = fc.record({ path: text, data, acl: acls, flags: int32, ttlMs: int64 });
const versioned = fc.record({ path: text, version: int32 });
const read = fc.record({ path: text, watch: fc.boolean() });
const named = fc.record({ path: text });
const created = fc.record({ path: text, stat });
const stats = fc.record({ stat });
const unwatched = fc.record({ path: text, watch: fc.constant(false) });
const typed = <T extends string, V extends object>(
  type: T,
  value: fc.Arbitrary<V>,
): fc.Arbitrary<{ type: T } & V> => value.map((fields) => ({ type, ...fields }));
const failure = typed('error', fc.record({ code: int32 }));
const update = fc.record({ path: text, data, version: int32 });

/** What each row's request and answer may hold. */
const table: Record<
  keyof typeof operations,
  readonly [request: fc.Arbitrary<unknown>, answer: fc.Arbitrary<unknown>]
> = {
  create: [creation, named],
  create2: [creation, created],
  createContainer: [creation, created],
  createTtl: [mortal, created],
  delete: [versioned, nothing],
  exists: [read, stats],
  getData: [read, fc.record({ data, stat })],
  setData: [update, stats],
  getAcl: [named, fc.record({ acl: acls, stat })],
  setAcl: [fc.record({ path: text, acl: acls, version: int32 }), stats],
  getChildren: [read, fc.record({ children: names })],
  getChildren2: [read, fc.record({ children: names, stat })],
  sync: [named, named],
  ping: [nothing, nothing],
  multi: [
    fc.array(
      fc.oneof(
        typed('create', creation),
        typed('createContainer', creation),
        typed('createTtl', mortal),
        typed('delete', versioned),
        typed('setData', update),
        typed('check', versioned),
      ),
      { maxLength: 12 },
    ),
    fc.array(
      fc.oneof(
        typed('create', named),
        typed('create2', created),
        typed('delete', nothing),
        typed('setData', stats),
        typed('check', nothing),
        failure,
      ),
      { maxLength: 12 },
    ),
  ],
  multiRead: [
    fc.array(fc.oneof(typed('getData', unwatched), typed('getChildren', unwatched)), { maxLength: 12 }),
    fc.array(
      fc.oneof(
        typed('getData', fc.record({ data, stat })),
        typed('getChildren', fc.record({ children: names })),
        failure,
      ),
      { maxLength: 12 },
    ),
  ],
  addWatch: [fc.record({ path: text, mode: int32 }), nothing],
  removeWatches: [fc.record({ path: text, type: int32 }), nothing],
  auth: [fc.record({ kind: int32, scheme: text, auth: data }), nothing],
  closeSession: [nothing, nothing],
};

const messages: readonly (readonly [string, Field<unknown>, fc.Arbitrary<unknown>])[] = [
  ...Object.entries(table).flatMap(([name, [request, answer]]) => {
    const row = operations[name as keyof typeof operations];
    return [
      [`request of ${name}`, row.request, request],
      [`answer to ${name}`, row.answer, answer],
    ] as const;
  }),
  [
    'connect request',
    connectRequest,
    fc.record({
      protocolVersion: int32,
      lastZxidSeen: int64,
      timeoutMs: int32,
      sessionId: int64,
      password: data,
      readOnly: fc.boolean(),
    }),
  ],
  [
    'connect answer',
    connectAnswer,
    fc.record({ protocolVersion: int32, timeoutMs: int32, sessionId: int64, password: data }),
  ],
  ['notification', watcherEvent, fc.record({ type: int32, state: int32, path: text })],
];

function encode(field: Field<unknown>, value: unknown): Buffer {
  const writer = new JuteWriter();
  field.write(writer, value);
  return writer.copy();
}

const isMalformed = (error: unknown): boolean =>
  error instanceof ZooKeeperError && error.code === ZkCode.MarshallingError;

/** With the numbers of each Stat in a batch, which are read when they are looked at. */
function plain(answer: unknown): unknown {
  if (!Array.isArray(answer)) return answer;
  return answer.map((entry) => ('stat' in entry ? { ...entry, stat: numbersOf(entry.stat) } : entry));
}

/** Reads until the end or a MarshallingError; any other error is let through. */
function readAnything(field: Field<unknown>, encoded: Buffer): unknown {
  try {
    return field.read(new JuteReader().over(encoded));
  } catch (error) {
    if (!isMalformed(error)) throw error;
    return undefined;
  }
}

describe.each(messages)('%s', (_, field, values) => {
  it('reads what was written, to the last byte', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encode(field, value);
        const reader = new JuteReader().over(encoded);
        const answer = field.read(reader);
        // What was read is a copy.
        encoded.fill(0);
        expect(plain(answer)).toEqual(value);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it('is a MarshallingError when cut short anywhere', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, at) => {
        const encoded = encode(field, value);
        if (encoded.length === 0) return;
        const cut = encoded.subarray(0, at % encoded.length);
        expect(() => field.read(new JuteReader().over(cut))).toThrow(ZooKeeperError);
      }),
    );
  });

  it('is read, or is a MarshallingError, whatever bytes are changed', () => {
    fc.assert(
      fc.property(values, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), (value, changes) => {
        const encoded = encode(field, value);
        if (encoded.length === 0) return;
        for (const [at, byte] of changes) encoded[at % encoded.length] = byte;
        readAnything(field, encoded);
      }),
    );
  });

  it('is read, or is a MarshallingError, for any bytes', () => {
    fc.assert(fc.property(bytes, (garbage) => void readAnything(field, garbage)));
  });
});

describe('the wire', () => {
  it('has the bytes that the protocol says for a create', () => {
    const frame = encodeRequest(operations.create, {
      path: '/a',
      data: Buffer.from('v'),
      acl: [{ perms: 31, scheme: 'world', id: 'anyone' }],
      flags: 1,
    });
    expect(frame.toString('hex')).toBe(
      [
        '00000032', // length
        '00000000', // xid, filled in on sending
        '00000001', // opcode
        '000000022f61', // path
        '0000000176', // data
        '00000001', // one ACL entry
        '0000001f',
        '00000005776f726c64',
        '00000006616e796f6e65',
        '00000001', // flags
      ].join(''),
    );
  });

  it('has the bytes that the protocol says for a multi', () => {
    const frame = encodeRequest(operations.multi, [
      { type: 'check', path: '/a', version: 3 },
      { type: 'delete', path: '/b', version: -1 },
    ]);
    expect(frame.toString('hex')).toBe(
      [
        '00000037',
        '00000000',
        '0000000e',
        '0000000d00ffffffff', // header of a check
        '000000022f6100000003',
        '0000000200ffffffff', // header of a delete
        '000000022f62ffffffff',
        'ffffffff01ffffffff', // end
      ].join(''),
    );
  });

  it('tells null data from empty data', () => {
    const encoded = (value: Buffer | null): string =>
      encode(operations.setData.request, { path: '/', data: value, version: -1 }).toString('hex');
    expect(encoded(null)).toBe('000000012fffffffffffffffff');
    expect(encoded(Buffer.alloc(0))).toBe('000000012f00000000ffffffff');
  });

  it('asks for a session with the 45 bytes of ZooKeeper 3.4 and later', () => {
    const frame = framed(connectRequest, {
      protocolVersion: 0,
      lastZxidSeen: 0x102n,
      timeoutMs: 10_000,
      sessionId: 0n,
      password: Buffer.alloc(16),
      readOnly: false,
    });
    expect(frame.toString('hex')).toBe(
      `0000002d${'00000000'}${'0000000000000102'}${'00002710'}${'0'.repeat(16)}${'00000010'}${'0'.repeat(32)}00`,
    );
  });

  it('reads a Stat of 68 bytes with 64-bit numbers exactly', () => {
    const encoded = Buffer.concat([
      Buffer.from('7fffffffffffffff', 'hex'),
      Buffer.from('0000000100000002', 'hex'),
      Buffer.from('0000019200000001', 'hex'),
      Buffer.from('00000192ffffffff', 'hex'),
      Buffer.from('00000003000000040000000580000000000000ff', 'hex'),
      Buffer.from('0000000600000007', 'hex'),
      Buffer.from('0000000000000008', 'hex'),
    ]);
    expect(encoded.length).toBe(68);
    expect(operations.exists.answer.read(new JuteReader().over(encoded)).stat).toEqual({
      czxid: 0x7fff_ffff_ffff_ffffn,
      mzxid: 0x1_0000_0002n,
      ctime: 0x192_0000_0001,
      mtime: 0x192_ffff_ffff,
      version: 3,
      cversion: 4,
      aversion: 5,
      ephemeralOwner: BigInt.asIntN(64, 0x8000_0000_0000_00ffn),
      dataLength: 6,
      numChildren: 7,
      pzxid: 8n,
    });
  });

  it('refuses a vector whose length promises more than there is, before making room for it', () => {
    const encoded = Buffer.from('7fffffff00000000', 'hex');
    expect(() => operations.getChildren.answer.read(new JuteReader().over(encoded))).toThrow(
      'a vector of 2147483647',
    );
  });

  it('gives copies: values stay when the bytes they were read from change', () => {
    const value = { data: Buffer.from('kept'), stat: fc.sample(stat, 1)[0] };
    const encoded = encode(operations.getData.answer, value);
    const answer = operations.getData.answer.read(new JuteReader().over(encoded));
    encoded.fill(0);
    expect(answer.data?.toString()).toBe('kept');
  });
});
