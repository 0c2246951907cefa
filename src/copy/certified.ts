import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Certificate } from '../verify/certificate.js';
import { isStore } from './identities.js';

/**
 * What a certificate says that a store held, by group; undefined: it knows no such part. Guard when it is of other stores than this
 * one: their numbers say nothing of it.
 */
export async function certifiedIn(
  { parts }: Pick<Certificate, 'parts'>,
  scope: string,
  store: Connection,
  call: CallOptions,
): Promise<ReadonlyMap<string, number> | undefined> {
  const part = parts.find((each) => each.scope === scope);
  if (part === undefined) return undefined;
  for (const side of ['source', 'destination'] as const) {
    const { identity } = part[side];
    if (identity !== null && (await isStore(store, identity, call)))
      return new Map(part.groups.map((group) => [group.name, group[side].records]));
  }
  throw new TopologyError(
    ErrorCode.Guard,
    `the certificate of the last run is of other stores: neither of its sides, ${scope}, is this source`,
    {
      store: store.store,
      hint: 'take the certificate of a verification of this source; if the store was made anew since, there is none: copy without it',
    },
  );
}
