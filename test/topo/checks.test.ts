import { describe, expect, it } from 'vitest';
import { checkBatch, checkStoredPath, checkValue, checkWritable } from '../../src/topo/checks.js';
import { batchBytes, type Capabilities, type WriteOp } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { Version } from '../../src/topo/version.js';

const STORE = 'memory://etcd/root';
const capabilities: Capabilities = {
  batch: { maxOps: 3, maxBytes: 400 },
  maxValueBytes: 100,
  maxPathBytes: 20,
  history: false,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'fair',
  fencing: true,
  seal: false,
  durable: true,
  readOnly: false,
};
const connection = { store: STORE, capabilities };

const bytes = (length: number) => new Uint8Array(length);
const create = (path: string, length = 0): WriteOp => ({ type: 'create', path, bytes: bytes(length) });

describe('checkStoredPath', () => {
  it('counts bytes of UTF-8, with the root and the slash after it', () => {
    expect(checkStoredPath(connection, 'a'.repeat(20), 'record')).toHaveLength(20);
    expect(checkStoredPath({ ...connection, root: '/root' }, 'a'.repeat(14), 'record')).toHaveLength(14);
    expect(checkStoredPath({ ...connection, root: '/' }, 'a'.repeat(19), 'record')).toHaveLength(19);
    for (const [root, path] of [
      [undefined, 'é'.repeat(11)],
      ['/root', 'a'.repeat(15)],
      ['/', 'a'.repeat(20)],
    ] as const) {
      expect(() => checkStoredPath({ ...connection, root }, path, 'record')).toThrow(
        expect.objectContaining({ code: ErrorCode.TooLarge, path, store: STORE }),
      );
    }
  });

  it('refuses what is no path first', () => {
    expect(() => checkStoredPath(connection, `/${'a'.repeat(30)}`, 'record')).toThrow(
      expect.objectContaining({ code: ErrorCode.InvalidPath, store: STORE }),
    );
  });
});

describe('checkValue', () => {
  it('takes a value of exactly the largest size, and none larger', () => {
    expect(() => checkValue(connection, 'a', bytes(100))).not.toThrow();
    expect(() => checkValue(connection, 'a', bytes(101))).toThrow(
      expect.objectContaining({ code: ErrorCode.TooLarge, path: 'a', store: STORE }),
    );
  });
});

describe('checkWritable', () => {
  it('refuses a connection that was opened read-only', () => {
    expect(() => checkWritable(connection, 'a')).not.toThrow();
    expect(() =>
      checkWritable({ store: STORE, capabilities: { ...capabilities, readOnly: true } }, 'a'),
    ).toThrow(expect.objectContaining({ code: ErrorCode.ReadOnly, path: 'a' }));
  });
});

describe('checkBatch', () => {
  const codeOf = (ops: WriteOp[]) => {
    try {
      checkBatch(connection, ops);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('takes a batch as large as the store does', () => {
    const ops = [create('a', 100), create('b', 100), create('c')];
    expect(codeOf(ops)).toBeUndefined();
    const room = capabilities.batch.maxBytes - batchBytes(ops);
    expect(codeOf([...ops.slice(0, 2), create('c', room)])).toBeUndefined();
    expect(codeOf([...ops.slice(0, 2), create('c', room + 1)])).toMatchObject({ code: ErrorCode.TooLarge });
  });

  it('refuses an empty batch', () => {
    expect(codeOf([])).toMatchObject({ code: ErrorCode.InvalidBatch, store: STORE });
  });

  it('refuses a path that comes twice, naming the second', () => {
    expect(codeOf([create('a'), create('b'), { type: 'delete', path: 'a', version: null }])).toMatchObject({
      code: ErrorCode.InvalidBatch,
      path: 'a',
      index: 2,
    });
  });

  it('takes a record and another below it', () => {
    expect(codeOf([create('a'), create('a/b')])).toBeUndefined();
  });

  it('refuses more operations than the store takes', () => {
    expect(codeOf(['a', 'b', 'c', 'd'].map((path) => create(path)))).toMatchObject({
      code: ErrorCode.TooLarge,
    });
  });

  it('names the operation whose path or value is at fault', () => {
    expect(codeOf([create('a'), create('b/')])).toMatchObject({
      code: ErrorCode.InvalidPath,
      path: 'b/',
      index: 1,
    });
    expect(codeOf([create('a'), create('')])).toMatchObject({
      code: ErrorCode.InvalidPath,
      path: '',
      index: 1,
    });
    expect(codeOf([create('a'), create('b', 101)])).toMatchObject({
      code: ErrorCode.TooLarge,
      path: 'b',
      index: 1,
    });
  });

  it('refuses a version of another store, naming the operation', () => {
    const version = Version.of('memory://etcd/other', '1');
    for (const type of ['delete', 'check'] as const) {
      expect(codeOf([create('a'), { type, path: 'b', version }])).toMatchObject({
        code: ErrorCode.BadVersion,
        path: 'b',
        index: 1,
      });
    }
    expect(codeOf([{ type: 'update', path: 'b', bytes: bytes(1), version }])).toMatchObject({
      code: ErrorCode.BadVersion,
      index: 0,
    });
    expect(codeOf([{ type: 'check', path: 'b', version: Version.of(STORE, '1') }])).toBeUndefined();
    expect(codeOf([{ type: 'check', path: 'b', version: null }])).toBeUndefined();
  });

  it('refuses any batch on a read-only connection', () => {
    expect(() =>
      checkBatch({ store: STORE, capabilities: { ...capabilities, readOnly: true } }, [create('a')]),
    ).toThrow(expect.objectContaining({ code: ErrorCode.ReadOnly }));
  });
});
