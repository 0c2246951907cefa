import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { batchRequest, readBatchAnswer } from '../../src/backends/etcd2/batch-message.js';
import { readKeyPage } from '../../src/backends/etcd2/key-page.js';
import { Keys } from '../../src/backends/etcd2/keys.js';
import { type PathOf, RecordPage } from '../../src/backends/etcd2/record-page.js';
import type { WriteOp } from '../../src/topo/connection.js';
import { Version } from '../../src/topo/version.js';

const STORE = 'etcd2://127.0.0.1:1/root';
const folder = join(dirname(createRequire(import.meta.url).resolve('etcd3/package.json')), 'proto');
const schema = new protobuf.Root();
schema.resolvePath = (_origin, target) => join(folder, target);
schema.loadSync('rpc.proto', { keepCase: true }).resolveAll();
const TxnRequest = schema.lookupType('TxnRequest');
const TxnResponse = schema.lookupType('TxnResponse');
const RangeResponse = schema.lookupType('RangeResponse');

const path = fc.stringMatching(/^[a-zé0-9-]{1,40}$/u);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 120, maxLength: 20_000 }),
);
const revision = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String);
const version = revision.map((token) => Version.of(STORE, token));
const op: fc.Arbitrary<WriteOp> = fc.oneof(
  fc.record({ type: fc.constant('create' as const), path, bytes }),
  fc.record({ type: fc.constant('update' as const), path, bytes, version }),
  fc.record({ type: fc.constant('delete' as const), path, version: fc.option(version) }),
  fc.record({ type: fc.constant('check' as const), path, version: fc.option(version) }),
);

/** What etcd is asked for, in the form that etcd3 takes. */
function asked(ops: readonly WriteOp[], key: (path: string) => Buffer): object {
  const compare = ops.map((each) => {
    if (each.type !== 'create' && each.version !== null)
      return { target: 'Mod', key: key(each.path), mod_revision: each.version.token };
    const result = each.type === 'delete' ? { result: 'Greater' } : {};
    return { ...result, key: key(each.path), version: '0' };
  });
  const success = ops.flatMap((each): object[] =>
    'bytes' in each
      ? [{ request_put: { key: key(each.path), value: each.bytes } }]
      : each.type === 'delete'
        ? [{ request_delete_range: { key: key(each.path) } }]
        : [],
  );
  return { compare, success };
}

/** A message in a form that can be compared: without what is not set. */
function shown(type: protobuf.Type, encoded: Uint8Array): object {
  return type.toObject(type.decode(encoded), { longs: String, enums: String, bytes: String, oneofs: true });
}

const hex: PathOf = (answer, from, to) => answer.toString('hex', from, to);

describe('messages of etcd', () => {
  test('a batch asks for what etcd3 would ask for', () => {
    const keys = new Keys(STORE, '/root');
    const key = (name: string) => keys.key(name);
    const guard = fc.option(fc.record({ key: path.map(key), revision }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(op, { minLength: 1, maxLength: 12 }), guard, (ops, guarded) => {
        const { compare, success } = asked(ops, key) as { compare: object[]; success: object[] };
        const fence = guarded && { target: 'Mod', key: guarded.key, mod_revision: guarded.revision };
        const expected = TxnRequest.encode(
          TxnRequest.fromObject({ compare: fence ? [...compare, fence] : compare, success }),
        ).finish();
        expect(shown(TxnRequest, batchRequest(STORE, keys, ops, guarded))).toEqual(
          shown(TxnRequest, expected),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('the answer to a batch is read', () => {
    for (const succeeded of [true, false]) {
      const header = { cluster_id: '18446744073709551615', revision: '9007199254740993', raft_term: 3 };
      const responses = [{ response_put: { header: { revision: 5 } } }];
      const answer = TxnResponse.encode(TxnResponse.fromObject({ header, succeeded, responses })).finish();
      expect(readBatchAnswer(Buffer.from(answer))).toEqual({ succeeded, revision: '9007199254740993' });
    }
  });

  test('a page is read as etcd3 reads it', () => {
    const lease = fc.constantFrom('0', '7', '-5', '9223372036854775807');
    const kv = fc.record({ key: bytes, value: bytes, mod_revision: revision, version: revision, lease });
    const page = fc.record({ kvs: fc.array(kv, { maxLength: 6 }), more: fc.boolean(), revision });
    fc.assert(
      fc.property(page, ({ kvs, more, revision: at }) => {
        const header = { member_id: '18446744073709551615', revision: at };
        const message = RangeResponse.fromObject({ header, kvs, more, count: '3000000000' });
        const answer = Buffer.from(RangeResponse.encode(message).finish());
        const read = new RecordPage(answer);
        expect({ size: read.size, more: read.more, revision: read.revision }).toEqual({
          size: kvs.length,
          more,
          revision: at,
        });
        expect(read.last && [...read.last]).toEqual(kvs.at(-1) && [...(kvs.at(-1)?.key ?? [])]);
        const records = Array.from({ length: kvs.length + 1 }, () => read.take(2, hex)).flat();
        expect(records.map((each) => ({ ...each, value: [...each.value] }))).toEqual(
          kvs.map((each) => ({
            path: Buffer.from(each.key).toString('hex'),
            value: [...each.value],
            modRevision: each.mod_revision,
            leased: each.lease !== '0',
          })),
        );
        const listed = readKeyPage(answer);
        expect(listed.count).toBe(3_000_000_000);
        expect(listed.keys.map(({ key, leased }) => [[...key], leased])).toEqual(
          kvs.map((each) => [[...each.key], each.lease !== '0']),
        );
      }),
      { numRuns: 100 },
    );
  });
});
