import { batchLimits } from './batch-limits.js';
import { batches } from './batches.js';
import { calls, closing } from './calls.js';
import { concurrency } from './concurrency.js';
import { directories } from './directories.js';
import { elections } from './elections.js';
import { ephemeral } from './ephemeral.js';
import { faults } from './faults.js';
import { fencing } from './fencing.js';
import { history } from './history.js';
import { identity } from './identity.js';
import { listing } from './listing.js';
import { lockRivals } from './lock-rivals.js';
import { lockWaits } from './lock-waits.js';
import { locks } from './locks.js';
import { losses } from './losses.js';
import { lostLocks } from './lost-locks.js';
import { paths } from './paths.js';
import { readOnly } from './read-only.js';
import { records } from './records.js';
import { restarts } from './restarts.js';
import { scan } from './scan.js';
import { seals } from './seals.js';
import type { Theme } from './sentence.js';
import { serving } from './serving.js';
import { values } from './values.js';
import { versions } from './versions.js';
import { visibility } from './visibility.js';
import { watch } from './watch.js';
import { watchRecursive } from './watch-recursive.js';

/** The whole contract. */
export const THEMES: readonly Theme[] = [
  paths,
  listing,
  directories,
  records,
  values,
  versions,
  batches,
  batchLimits,
  scan,
  identity,
  history,
  visibility,
  concurrency,
  watch,
  watchRecursive,
  ephemeral,
  readOnly,
  calls,
  closing,
  faults,
  losses,
  restarts,
  locks,
  lockRivals,
  lockWaits,
  lostLocks,
  elections,
  fencing,
  seals,
  serving,
];
