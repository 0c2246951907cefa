import type { IKeyValue } from 'etcd3';
import { raceCall } from '../../topo/calls.js';
import type { CallOptions, HistoryEnd, PastState } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import type { EtcdClient } from './client.js';
import { noRecord, RpcFailure, toTopologyError } from './error.js';
import { toValue } from './file.js';
import type { KeyRange } from './keys.js';
import { isDelete } from './watch.js';

/**
 * See {@link Connection.history}: back from state to state by reads at the revision before. Such a read says that there
 * was no record, and not since when: deletions are found by a watch of the past.
 */
export async function* history(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): AsyncGenerator<PastState | HistoryEnd, void> {
  const range = oneKey(client.keys.key(path));
  const { kvs, header } = await client.read('range', { key: range.key }, path, options);
  let state = kvs[0];
  /** Everything from here on is told. */
  let told = BigInt(header.revision) + 1n;
  let gone: Deletions | undefined;
  let delivered = false;
  for (;;) {
    if (state === undefined) {
      // What comes last is not known where nothing of the record is there: the whole store's last change is.
      gone ??= await findDeletions(client, path, delivered ? range : EVERYTHING, range.key, told, options);
      const deleted = gone.revisions.findLast((revision) => revision < told);
      if (deleted === undefined) break;
      told = deleted;
      yield { type: 'past', value: undefined, position: deleted };
    } else {
      told = BigInt(state.mod_revision);
      yield { type: 'past', value: toValue(client, state), position: told };
    }
    delivered = true;
    const before = await readAt(client, path, range.key, told - 1n, options);
    if (before === 'compacted') {
      yield { type: 'end', reason: 'compacted' };
      return;
    }
    state = before.kv;
  }
  if (!delivered) throw nothingKnown(client, path, gone.compacted);
  yield { type: 'end', reason: gone.compacted ? 'compacted' : 'created' };
}

async function readAt(
  client: EtcdClient,
  path: string,
  key: Buffer,
  revision: bigint,
  options: CallOptions | undefined,
): Promise<{ readonly kv: IKeyValue | undefined } | 'compacted'> {
  try {
    const request = { key, revision: String(revision) };
    const { kvs } = await client.read('range', request, path, options);
    return { kv: kvs[0] };
  } catch (error) {
    if (isCompacted(error)) return 'compacted';
    throw error;
  }
}

interface Deletions {
  /** Revisions of the key's deletions, oldest first. */
  readonly revisions: readonly bigint[];
  /** Whether there may have been others before. */
  readonly compacted: boolean;
}

/**
 * Every deletion of a key before the revision `until` that etcd still knows. `range`: what is watched to know that the watch
 * has come so far: it holds a change at `until`, or at the revision before, which is the store's last.
 */
async function findDeletions(
  client: EtcdClient,
  path: string,
  range: KeyRange,
  key: Buffer,
  until: bigint,
  options: CallOptions | undefined,
): Promise<Deletions> {
  const last = range === EVERYTHING ? until - 1n : until;
  const left = new AbortController();
  const signal = AbortSignal.any([left.signal, client.closed]);
  const find = async (): Promise<Deletions> => {
    let from = 1n;
    for (let round = 0; ; round++) {
      const seen = await watchPast(client, path, { range, key, from, last }, signal);
      if (seen.reached) return { revisions: seen.deletions, compacted: from > 1n };
      if (seen.compacted === undefined) await client.pause(round, signal);
      else from = seen.compacted;
      // A compaction leaves no deletion up to its own revision.
      if (from >= last) return { revisions: [], compacted: true };
    }
  };
  try {
    return await raceCall(client.context, options, { kind: 'read', path }, find);
  } catch (error) {
    if (range === EVERYTHING && isTopologyError(error, ErrorCode.Unauthorized)) throw mayNotWatch(error);
    throw error;
  } finally {
    left.abort();
  }
}

/** One watch from the revision `from` until it has told of `last`. `compacted`: the first revision that could be asked for. */
async function watchPast(
  client: EtcdClient,
  path: string,
  { range, key, from, last }: { range: KeyRange; key: Buffer; from: bigint; last: bigint },
  signal: AbortSignal,
): Promise<{ deletions: bigint[]; reached: boolean; compacted: bigint | undefined }> {
  const seen = { deletions: [] as bigint[], reached: false, compacted: undefined as bigint | undefined };
  try {
    await client.watch({ ...range, start_revision: String(from) }, signal, (message) => {
      if (message.canceled) {
        seen.compacted = BigInt(message.compact_revision);
        return false;
      }
      for (const { type, kv } of message.events) {
        const revision = BigInt(kv.mod_revision);
        if (isDelete(type) && kv.key.equals(key)) seen.deletions.push(revision);
        seen.reached ||= revision >= last;
      }
      return !seen.reached;
    });
  } catch (error) {
    const failed = toTopologyError(client.context, error, { path, kind: 'read' });
    if (!failed.retryable || signal.aborted) throw failed;
  }
  return seen;
}

/** A range of one key. */
function oneKey(key: Buffer): KeyRange {
  return { key, range_end: Buffer.concat([key, Buffer.of(0)]) };
}

/** Every key, as etcd's requests say it. */
const EVERYTHING: KeyRange = { key: Buffer.of(0), range_end: Buffer.of(0) };

function isCompacted(error: unknown): boolean {
  if (!isTopologyError(error) || !(error.cause instanceof RpcFailure)) return false;
  return /required revision has been compacted/.test(error.cause.details);
}

function mayNotWatch(cause: TopologyError): TopologyError {
  const message = 'etcd does not let the user see what was before the deletion';
  return new TopologyError(ErrorCode.Unauthorized, message, {
    path: cause.path,
    store: cause.store,
    hint: 'of a record that is gone, only a user who may read all keys can see the past',
    cause,
  });
}

function nothingKnown(client: EtcdClient, path: string, compacted: boolean): TopologyError {
  if (!compacted) return noRecord(client.context, path);
  return new TopologyError(ErrorCode.NoNode, 'there is no such record', {
    path,
    store: client.context.store,
    hint: 'etcd was compacted: if there ever was one, its states are forgotten; look into a backup',
  });
}
