import type { CallOptions, HistoryEnd, PastState } from '../../topo/connection.js';
import { noRecordAt } from './error.js';
import type { Requests } from './requests.js';

/** See {@link Connection.history}: all of it as it was at one moment. */
export async function* history(
  requests: Requests,
  path: string,
  options?: CallOptions,
): AsyncGenerator<PastState | HistoryEnd, void> {
  const key = requests.keyOf(path);
  const { now, past } = await requests.read(path, options, () => ({
    now: requests.store.record(key),
    past: requests.store.past(key),
  }));
  const newest = now === undefined ? past?.deleted : now.modified;
  if (past === undefined || newest === undefined) throw noRecordAt(requests.context.store, path);
  for (const { item, at } of [{ item: now, at: newest }, ...past.states]) {
    yield {
      type: 'past',
      value: item === undefined ? undefined : requests.valueOf(item),
      position: BigInt(at),
    };
  }
  yield { type: 'end', reason: past.compacted ? 'compacted' : 'created' };
}
