import { describe, expect, test } from 'vitest';
import { RpcFailure, toTopologyError } from '../../src/backends/etcd2/error.js';

const STORE = 'etcd2://127.0.0.1:1/root';

/** The error of a write that was sent, and to which gRPC or a server answered with a status. */
function failed(status: number, details = 'some words', sent = true) {
  const failure = new RpcFailure({ status, details, endpoint: '127.0.0.1:1', sent });
  return toTopologyError({ store: STORE }, failure, { kind: 'write', path: 'a' });
}

describe('what a status of gRPC says of a write that was sent', () => {
  // Those that gRPC itself gives to a call whose connection or server went away, or that a server gives in the midst of it.
  test.each([
    [1, 'CANCELLED'],
    [2, 'UNKNOWN'],
    [4, 'DEADLINE_EXCEEDED'],
    [8, 'RESOURCE_EXHAUSTED'],
    [10, 'ABORTED'],
    [13, 'INTERNAL'],
    [14, 'UNAVAILABLE'],
    [15, 'DATA_LOSS'],
  ])('%i (%s): it may have been carried out', (status) => {
    expect(failed(status).code).toBe('OutcomeUnknown');
  });

  test.each([
    [3, 'INVALID_ARGUMENT'],
    [5, 'NOT_FOUND'],
    [7, 'PERMISSION_DENIED'],
    [9, 'FAILED_PRECONDITION'],
    [11, 'OUT_OF_RANGE'],
    [12, 'UNIMPLEMENTED'],
    [16, 'UNAUTHENTICATED'],
  ])('%i (%s): the server has refused it', (status) => {
    expect(failed(status).code).not.toBe('OutcomeUnknown');
  });

  test('none of a write that never left', () => {
    for (let status = 1; status <= 16; status++)
      expect(failed(status, 'no connection', false).code).not.toBe('OutcomeUnknown');
  });
});
