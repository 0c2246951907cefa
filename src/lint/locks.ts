import type { FoundEntry, FoundLock } from '../topo/found-locks.js';
import { lockState, lockTitle } from '../topo/lock-words.js';
import { found, type LintFinding } from './finding.js';

/** Locks that nobody gives back. `now`: milliseconds since the epoch; `maxAgeMs`: from which on a held one counts. */
export function* locks(all: readonly FoundLock[], now: number, maxAgeMs: number): Generator<LintFinding> {
  for (const lock of all) {
    // Whoever leads does so for as long as he lives.
    if (lock.type === 'election') continue;
    const where = { path: lock.dir };
    const title = lockTitle(lock);
    if (lock.leftOver) yield found('lock-left-over', where, `${title} is an empty directory, left behind`);
    const orphan = lock.entries.find((entry) => entry.orphan);
    const holder = lock.entries.find((entry) => entry.holds);
    if (orphan !== undefined) yield found('lock-orphan', where, `${title} ${lockState(orphan)}`);
    else if (holder !== undefined && isOlder(holder, now, maxAgeMs))
      yield found('lock-stale', where, `${title} ${lockState(holder)}, ${sinceText(holder)}`);
  }
}

function isOlder(entry: FoundEntry, now: number, ms: number): boolean {
  const since = sinceOf(entry);
  return since !== undefined && now - since > ms;
}

function sinceOf({ said, since }: FoundEntry): number | undefined {
  return said?.time ?? since;
}

function sinceText(entry: FoundEntry): string {
  return `since ${new Date(sinceOf(entry) ?? 0).toISOString()}`;
}
