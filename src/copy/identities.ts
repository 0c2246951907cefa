import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { formatIdentity, serversIn, witnessIn } from '../topo/identity.js';
import type { Part } from './parts.js';

/** Identities of stores, each as one line, by `from:SCOPE` and `to:SCOPE`. */
export type Identities = Readonly<Record<string, string>>;

/** Which side of a copy a store is on. */
export type Side = 'from' | 'to';

const SIDES: readonly Side[] = ['from', 'to'];

/** The identities of all stores of a copy. */
export async function identitiesOf(parts: readonly Part[], options: CallOptions): Promise<Identities> {
  const found = parts.flatMap((part) =>
    SIDES.map(async (side) => {
      const identity = await (await part[side]()).identity(callOf(options));
      return [`${side}:${part.scope}`, formatIdentity(identity)] as const;
    }),
  );
  return Object.fromEntries(await Promise.all(found));
}

/**
 * Refuses stores that are not those which were known by these identities: Guard, naming the first. `whose`: what knows them, for
 * the message. A side that is not asked for is not compared.
 */
export async function checkIdentities(
  known: Identities,
  parts: readonly Pick<Part, 'scope' | Side>[],
  whose: keyof typeof ANEW,
  options: CallOptions & { readonly sides?: readonly Side[] },
): Promise<void> {
  for (const part of parts)
    for (const side of options.sides ?? SIDES) {
      const line = known[`${side}:${part.scope}`];
      const store = await part[side]();
      const present = line === undefined ? undefined : await presentOf(store, line, options);
      if (line !== undefined && present === line) continue;
      const name = `${side === 'from' ? 'source' : 'destination'}, ${part.scope}`;
      const message =
        line === undefined
          ? `${whose} does not say which store is its ${name}`
          : `${whose} is for ${otherThan(line, present)}: its ${name}, is ${line}, and this one is ${present}`;
      throw new TopologyError(ErrorCode.Guard, message, {
        store: store.store,
        hint: `check the address; if it is right, and the store, or what is in it, was made anew since: ${ANEW[whose]}`,
      });
    }
}

/** What to do where what knew the stores is of no use any more. */
const ANEW = {
  'the plan': 'make the plan again',
  'the journal':
    'look at what is there, then begin with another file for --journal; what is equal is not written again',
} as const;

/** What a store may be that is not the one of a line: where the servers say the same, its witness may only have been deleted, or made anew. */
function otherThan(line: string, present = ''): string {
  const witness = witnessIn(line);
  return witness !== undefined && serversIn(line) === serversIn(present)
    ? `another store, or one whose record ${witness} was deleted or made anew since`
    : 'another store';
}

/** Whether a store is the one that a line of {@link formatIdentity} is about. */
export async function isStore(store: Connection, line: string, options: CallOptions): Promise<boolean> {
  return (await presentOf(store, line, options)) === line;
}

/** The identity as the line would have it: by its witness, and by the servers alone where its root was empty. */
async function presentOf(store: Connection, line: string, options: CallOptions): Promise<string> {
  const witness = witnessIn(line);
  const { servers, root } = await store.identity({ ...callOf(options), witness });
  return line === servers ? servers : formatIdentity({ servers, root });
}

function callOf({ signal, deadline }: CallOptions): CallOptions {
  return { signal, deadline };
}
