import type { IdentityOptions } from '../../topo/connection.js';
import { type StoreIdentity, witnessed } from '../../topo/identity.js';
import type { Requests } from './requests.js';

export function identity(
  requests: Requests,
  server: string,
  { witness, ...options }: IdentityOptions,
): Promise<StoreIdentity> {
  return requests.read(witness, options, () => {
    const { store, root } = requests;
    const key = witness === undefined ? undefined : requests.keyOf(witness);
    const [found] = store.recordsBelow(root).filter((entry) => key === undefined || entry.key === key);
    return {
      servers: `memory ${server}`,
      root: found && witnessed(requests.pathOf(found.key), found.item.created),
    };
  });
}
