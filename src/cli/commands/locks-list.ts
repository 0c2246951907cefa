import { systemClock } from '../../topo/clock.js';
import { findLocks } from '../../topo/found-locks.js';
import { GLOBAL } from '../../topo/topology.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import { count, json } from '../io.js';
import { countOrphans, locksJson, locksText, ORPHAN_HINT } from '../locks-text.js';
import { LOOK_FLAGS, LOOK_WORDS, lookAt, storeOf } from '../looking.js';

export const locksListCommand: Command = {
  command: 'list [address] [path]',
  describe: 'show every lock and election, holders and waiters; exit 1 when one is orphaned',
  words: LOOK_WORDS,
  flags: LOOK_FLAGS,
  examples: [['$0 locks list zk2://zk1:2181/vitess/global', 'writes nothing, takes no lock']],
  run: (flags, io, signal) =>
    lookAt(flags, io, signal, async ({ topology, scope = GLOBAL, path }) => {
      const store = await storeOf(topology, scope, signal);
      const locks = await findLocks(store, path, signal);
      const now = systemClock.now();
      const orphans = countOrphans(locks);
      if (flags['output'] === 'json') {
        const found = locksJson(locks, now);
        io.out(json({ command: 'locks list', scope, store: store.store, orphans, locks: found }));
      } else {
        io.out(`${io.colors.bold(scope)} ${io.colors.dim(store.store)}`);
        io.out(locks.length === 0 ? '  no locks and no elections' : locksText(io, locks, now));
        if (orphans > 0) io.out(`${io.colors.red(count(orphans, 'orphan'))}: ${ORPHAN_HINT}`);
      }
      return orphans === 0 ? Exit.Ok : Exit.Different;
    }),
};
