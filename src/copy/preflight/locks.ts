import type { FoundEntry, FoundLock } from '../../topo/found-locks.js';
import { lockState, lockTitle } from '../../topo/lock-words.js';
import { SEAL, sealedBy } from '../../topo/seal.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ScopeReading } from './reading.js';
import type { Severity } from './table.js';

/** What Vitess's processes write into the locks of operations that change more than one record. */
const OPERATION =
  /reparent|switch|migrat|cancel|reshard|movetables|SetShardIsPrimaryServing|DeleteKeyspace|DeleteShard/i;

/** A seal that is on a store. */
export function seals({ side, scope, survey }: ScopeReading): Diagnosis[] {
  if (survey?.seal === undefined) return [];
  const state = survey.seal.whole ? 'is sealed' : 'is sealed in part';
  return [diagnose('sealed', { side, scope, path: SEAL }, `the store ${state}, by ${sealedBy(survey.seal)}`)];
}

/** Locks that are held, that nobody will give back, and what is being done under them. `overruled`: held ones are let pass. */
export function locks({ side, scope, survey }: ScopeReading, overruled: boolean): Diagnosis[] {
  const severity: { severity?: Severity } = overruled && side === 'source' ? { severity: 'note' } : {};
  return (survey?.locks ?? []).flatMap((lock) => {
    // Leaders of elections stay where they are, and are never copied.
    if (lock.type === 'election') return [];
    const place = { side, scope, path: lock.dir };
    if (lock.leftOver)
      return [diagnose('lock-left-over', place, `${lockTitle(lock)} is an empty directory, left behind`)];
    const [entry] = lock.entries;
    if (entry === undefined) return [];
    return [diagnose(idOf(lock, entry), place, `${lockTitle(lock)} ${lockState(entry)}`, severity)];
  });
}

function idOf({ type }: FoundLock, { orphan, said }: FoundEntry) {
  if (orphan) return 'lock-orphan';
  if (type === 'name') return 'named-lock';
  if (type === 'tablet') return 'operation-running';
  return OPERATION.test(said?.action ?? '') ? 'operation-running' : 'lock-held';
}
