import type { OldValue } from '../../legacy/transcoder.js';
import type { CallOptions, Value } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { Version } from '../../topo/version.js';
import { makeVersion } from '../../znodes/version.js';
import { isOwned, type Znode } from '../../znodes/znode.js';
import { FIRST_IS_READ } from './generation.js';
import type { LegacyStore } from './legacy-store.js';
import type { Own, RecordPlace } from './own.js';

/** A record that was read, and the znodes that it is made of. */
export interface Made extends OldValue {
  /** Names its state. */
  readonly token: string;
  /** By their whole paths; more than one, or one that is not the record's own, where it is made of several. */
  readonly of: readonly string[];
}

/** A record that is made of its own znode alone. */
export async function readOwn(
  { transcoder, places }: LegacyStore,
  place: RecordPlace,
  { bytes, token }: Own,
  shards: readonly string[] | undefined,
  options: CallOptions | undefined,
): Promise<Made> {
  const read = await transcoder.attempt(bytes, () => transcoder.readOld(place, bytes, options, { shards }));
  return { ...read, token, of: [places.znode(places.native(place.path))] };
}

/** The value of a record; undefined: it has no counterpart. */
export function valueOfMade({ store }: LegacyStore, made: Made): Value | undefined {
  const { bytes, told, token } = made;
  if (bytes === undefined) return undefined;
  const stays = isSeveral(made) ? several(made) : undefined;
  const fixed = stays ?? (made.generation === 1 ? FIRST_IS_READ : undefined);
  return {
    bytes,
    version: Version.of(store.context.store, token),
    ephemeral: false,
    ...(told === undefined ? {} : { told }),
    ...(fixed === undefined ? {} : { fixed }),
    ...(stays === undefined ? {} : { stays }),
  };
}

/** Whether a record is made of more than its own znode. */
export function isSeveral({ token }: Made): boolean {
  return token.includes('+');
}

function several({ of }: Made): string {
  return `this record is made of ${of.join(', ')}`;
}

/** The value of a record that is kept byte for byte. */
export function rawValue({ store }: LegacyStore, { data, stat }: Znode): Value {
  return {
    bytes: data ?? new Uint8Array(),
    version: makeVersion(store.context.store, stat),
    ephemeral: isOwned(stat),
  };
}

/** Unsupported for a write to a record that is made of several znodes. */
export function madeOfSeveral({ store }: LegacyStore, path: string, made: Made): TopologyError {
  return new TopologyError(ErrorCode.Unsupported, several(made), {
    path,
    store: store.context.store,
    hint: 'change these with the tools of their time, or copy the topology to a store of today first',
  });
}
