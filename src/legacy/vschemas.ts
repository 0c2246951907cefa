import { encode } from '../topo/codec.js';
import type { Json, JsonObject } from '../topo/codec-json.js';
import { diffRecords, type FieldDifference } from '../topo/diff.js';
import { showKey } from '../topo/diff-show.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { compareBytewise } from '../topo/paths.js';
import type { Told, Transcoded } from '../topo/told.js';
import { FirstObject } from './first-object.js';
import { isFirstVSchema, readFirstVSchema } from './first-vschema.js';
import { readJsonText } from './json-text.js';
import { type Numbering, type Reading, reading } from './reading.js';
import { readSecond } from './second-read.js';

/** A keyspace's VSchema, and where it was found. */
export interface FoundVSchema extends Told {
  readonly keyspace: string;
  /** In protobuf. */
  readonly bytes: Uint8Array;
  /** `own`: in the node of the keyspace; `shared`: in the one node that all keyspaces had until 2016; `both`. */
  readonly home: 'own' | 'shared' | 'both';
  /** In which fields the two differ, the own one first. Where there are any, nobody can say which one counts. */
  readonly differences: readonly FieldDifference[];
}

const MESSAGE = 'vschema.Keyspace';
/** Path of the shared node, for losses and errors. */
const SHARED = 'vschema';

/** The VSchemas of a store. */
export interface FoundVSchemas {
  readonly vschemas: readonly FoundVSchema[];
  /** What the shared node holds beside them. */
  readonly shared: Told;
}

/**
 * The VSchemas of a store that may keep them in both of their homes: `shared` is the value of the one node, `own` those of the keyspaces'
 * nodes as read. In byte order of the keyspaces. Corrupt, with the path `vschema`, when the shared one is in neither form.
 */
export function joinVSchemas(
  shared: Uint8Array | undefined,
  own: ReadonlyMap<string, Transcoded>,
  numbering: Numbering,
): FoundVSchemas {
  const told = reading(SHARED, numbering);
  const ofShared = shared === undefined ? new Map<string, Shared>() : readShared(shared, told);
  const names = [...new Set([...own.keys(), ...ofShared.keys()])].sort(compareBytewise);
  const vschemas = names.flatMap((keyspace) =>
    joinedVSchema(keyspace, own.get(keyspace), ofShared.get(keyspace)),
  );
  return { vschemas, shared: told };
}

/** The VSchema of one keyspace, of its homes; none: neither has it. */
export function joinedVSchema(
  keyspace: string,
  own: Transcoded | undefined,
  shared: (Told & { readonly bytes: Uint8Array }) | undefined,
): FoundVSchema[] {
  if (own?.bytes === undefined)
    return shared === undefined ? [] : [{ ...shared, keyspace, home: 'shared', differences: [] }];
  const { bytes, losses, derived, notes } = own;
  if (shared === undefined)
    return [{ keyspace, bytes, losses, derived, notes, home: 'own', differences: [] }];
  const differences = diffRecords(MESSAGE, bytes, shared.bytes);
  const all = { losses: [...losses, ...shared.losses], derived, notes };
  return [{ keyspace, bytes, ...all, home: 'both', differences }];
}

/** Guard, naming keyspaces and fields, when a VSchema is in both homes and not the same. */
export function differenceOf(found: readonly FoundVSchema[]): TopologyError | undefined {
  const differing = found.filter(({ differences }) => differences.length > 0);
  if (differing.length === 0) return undefined;
  const shown = differing.map(
    ({ keyspace, differences }) => `${keyspace} (${differences.map(({ path }) => path).join(', ')})`,
  );
  return new TopologyError(
    ErrorCode.Guard,
    `the VSchema in the node of all keyspaces is not the one in the keyspace’s own: ${shown.join('; ')}`,
    { path: SHARED, hint: 'make the two the same, or delete the one that does not count' },
  );
}

interface Shared extends Told {
  readonly bytes: Uint8Array;
}

function readShared(value: Uint8Array, told: Reading): Map<string, Shared> {
  try {
    const all = new FirstObject(readJsonText(value), '', told);
    const entries = all.entries('Keyspaces') ?? [];
    all.rest();
    return new Map(
      entries.map(([keyspace, json]) => {
        const own = reading(SHARED, told.numbering);
        return [keyspace, { ...own, bytes: encode(MESSAGE, ofKeyspace(all, keyspace, json, own)) }];
      }),
    );
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    throw new TopologyError(ErrorCode.Corrupt, `not the VSchemas of all keyspaces: ${error.message}`, {
      path: SHARED,
      hint: 'mend it with the tools of its store, or leave it out',
      cause: error,
    });
  }
}

function ofKeyspace(all: FirstObject, keyspace: string, json: Json, told: Reading): JsonObject {
  const at = `Keyspaces[${showKey([keyspace])}]`;
  const object = all.inside(at, json).json;
  return isFirstVSchema(object)
    ? readFirstVSchema(new FirstObject(object, at, told))
    : readSecond(MESSAGE, object, told, `${at}.`);
}
