import { hostname } from 'node:os';
import { SourceSeal, storesOf, withSealed } from '../../copy/freeze-seal.js';
import { systemClock } from '../../topo/clock.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import { json } from '../io.js';
import { listLines } from '../lists.js';
import { ADDRESS_WORD, PLACE_FLAGS, withPlace } from '../place.js';

export const sealCommand: Command = {
  command: 'seal [address]',
  describe: 'have the stores refuse the writes of others to a topology, until topo2topo unseal',
  words: [ADDRESS_WORD],
  flags: PLACE_FLAGS,
  examples: [
    ['$0 seal zk2://zk1:2181/vitess/global', 'the global store and the stores of all cells'],
    [
      '$0 seal etcd2://etcd1:2379/vitess/global --topo-etcd-username root --topo-etcd-password-file pw',
      'etcd lets administrators alone change roles',
    ],
  ],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: [], access: 'lock' }, async ({ topology }) => {
      const clock = systemClock;
      const seal = new SourceSeal({ host: hostname(), user: io.env['USER'], clock });
      try {
        await seal.putOn(topology, { signal });
      } catch (error) {
        throw withSealed(error, await seal.takeOff());
      }
      const stores = [...(await storesOf(topology, { signal }))];
      const { exempt } = seal;
      if (flags['output'] === 'json') {
        const sealed = stores.map(([scope, { store }]) => ({ scope, store }));
        io.out(json({ command: 'seal', sealed, exempt }));
        return Exit.Ok;
      }
      const { green, yellow, bold, dim } = io.colors;
      for (const [scope, { store }] of stores) io.out(`${green('sealed')} ${bold(scope)} ${dim(store)}`);
      for (const line of listLines(io, yellow('may write all the same: no seal keeps them out'), exempt))
        io.out(line);
      io.out(`nobody else can write there until ${bold('topo2topo unseal')} with the same address`);
      return Exit.Ok;
    }),
};
