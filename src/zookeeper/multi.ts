/** Creations, alone and inside a multi, and the results of a multi. */

import {
  type CreateArguments,
  CreateMode,
  type MultiOp,
  type MultiResult,
  ZkCode,
  ZooKeeperError,
} from './client.js';
import { badArguments, serverError } from './errors.js';
import { checkPath, isSequential } from './paths.js';
import type { operations } from './protocol.js';

/** The longest time to live that fits its place in a node's Stat. */
const MAX_TTL_MS = 2 ** 40 - 1;

/** Throws BadArguments. */
export function checkCreation({ path, mode, ttlMs }: CreateArguments): void {
  checkPath(path, isSequential(mode));
  if ((mode === CreateMode.PersistentWithTtl) !== (ttlMs !== undefined)) {
    throw badArguments(`create ${path}: a node has a time to live if its mode says so, and then only`, path);
  }
  if (ttlMs !== undefined && !(Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= MAX_TTL_MS)) {
    throw badArguments(`create ${path}: ${ttlMs} ms is no time to live`, path);
  }
}

/** The request of a creation, with the key of its row in the protocol's table. */
export function creation({ path, data, acl, mode = CreateMode.Persistent, ttlMs }: CreateArguments) {
  if (ttlMs !== undefined)
    return { type: 'createTtl' as const, path, data, acl, flags: mode, ttlMs: BigInt(ttlMs) };
  const type = mode === CreateMode.Container ? 'createContainer' : 'create';
  return { type, path, data, acl, flags: mode } as const;
}

type MultiAnswer = ReturnType<typeof operations.multi.answer.read>[number];

/** What a multi has done. Throws the failure of the operation that failed: the others of a failed multi say RuntimeInconsistency. */
export function multiResults(ops: readonly MultiOp[], answers: readonly MultiAnswer[]): MultiResult[] {
  const results: MultiResult[] = [];
  for (let index = 0; index < answers.length; index++) {
    const answer = answers[index];
    if (answer === undefined) continue;
    if (answer.type !== 'error') results.push(multiResult(answer));
    else if (answer.code !== 0 && answer.code !== ZkCode.RuntimeInconsistency) {
      const op = ops[index];
      throw serverError(op?.type ?? 'operation', answer.code, op?.path, index);
    }
  }
  if (results.length !== ops.length || answers.length !== ops.length) {
    throw new ZooKeeperError(ZkCode.MarshallingError, 'the answer to a multi does not fit its request', {
      sent: true,
    });
  }
  return results;
}

function multiResult(answer: Exclude<MultiAnswer, { type: 'error' }>): MultiResult {
  switch (answer.type) {
    case 'create2':
    case 'createContainer':
    case 'createTtl':
      return { type: 'create', path: answer.path, stat: answer.stat };
    default:
      return answer;
  }
}
