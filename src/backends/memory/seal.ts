import type { Sealing } from '../../topo/checked.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { alreadySealed, anotherSeal } from '../../topo/seal.js';
import type { Requests } from './requests.js';

/** Seals at one moment: there is no half of it. */
export function sealing(requests: Requests): Sealing {
  const { store, root, context } = requests;
  return {
    prepareSeal: async () => {},
    seal: ({ id, scope, host, user }, options) =>
      requests.read('', options, () => {
        if (store.names(root) === undefined)
          throw new TopologyError(ErrorCode.NoNode, 'there is no such directory', {
            path: '',
            store: context.store,
          });
        const there = store.seals.get(root);
        if (there !== undefined) throw alreadySealed(context.store, there.seal);
        const seal = { id, host, user, since: context.clock.now(), whole: true, exempt: [] };
        store.seals.set(root, { seal, scope });
        return seal;
      }),
    unseal: (options) =>
      requests.read('', options, () => {
        const there = store.seals.get(root);
        if (there === undefined) return { seal: undefined, restored: 0, changed: [] };
        if (options?.id !== undefined && options.id !== there.seal.id)
          throw anotherSeal(context.store, there.seal);
        store.seals.delete(root);
        return { seal: there.seal, restored: 1, changed: [] };
      }),
    sealed: (options) => requests.read('', options, () => store.seals.get(root)?.seal),
  };
}
