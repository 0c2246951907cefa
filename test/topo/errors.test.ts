import { describe, expect, it } from 'vitest';
import { ErrorCode, isTopologyError, TopologyError } from '../../src/topo/errors.js';

describe('TopologyError', () => {
  it('says where, after what', () => {
    const error = new TopologyError(ErrorCode.NoNode, 'no such record', {
      path: 'a/b',
      store: 'memory://etcd/',
    });
    expect(error.message).toBe('no such record (path a/b, store memory://etcd/)');
    expect(error.name).toBe('TopologyError');
  });

  it('names the root directory in words', () => {
    expect(new TopologyError(ErrorCode.NoNode, 'no such directory', { path: '' }).message).toBe(
      'no such directory (path (root))',
    );
  });

  it('says whether a retry can help: by its code, unless told', () => {
    const retryable = (code: ErrorCode, told?: boolean) =>
      new TopologyError(code, 'x', { retryable: told }).retryable;
    expect(retryable(ErrorCode.Unavailable)).toBe(true);
    expect(retryable(ErrorCode.Timeout)).toBe(true);
    expect(retryable(ErrorCode.OutcomeUnknown)).toBe(false);
    expect(retryable(ErrorCode.BadVersion)).toBe(false);
    expect(retryable(ErrorCode.Unavailable, false)).toBe(false);
  });

  it('keeps its cause', () => {
    const cause = new Error('socket closed');
    expect(new TopologyError(ErrorCode.Unavailable, 'x', { cause }).cause).toBe(cause);
    expect('cause' in new TopologyError(ErrorCode.Unavailable, 'x')).toBe(false);
  });

  it('becomes the error of one operation of a batch, with everything else kept', () => {
    const cause = new Error('no');
    const error = new TopologyError(ErrorCode.BadVersion, 'x', { path: 'a', store: 's', hint: 'h', cause });
    expect(error.at(3)).toMatchObject({
      code: ErrorCode.BadVersion,
      message: error.message,
      path: 'a',
      store: 's',
      hint: 'h',
      cause,
      index: 3,
    });
  });

  it('is told from other errors, by code where codes are given', () => {
    const error: unknown = new TopologyError(ErrorCode.NoNode, 'x');
    expect(isTopologyError(error)).toBe(true);
    expect(isTopologyError(error, ErrorCode.NodeExists, ErrorCode.NoNode)).toBe(true);
    expect(isTopologyError(error, ErrorCode.NodeExists)).toBe(false);
    expect(isTopologyError(new Error('NoNode'))).toBe(false);
  });
});
