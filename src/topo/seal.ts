import type { CallOptions } from './call-options.js';
import { ErrorCode, TopologyError } from './errors.js';

/** Path of the record by which a sealed store is known, where it needs one. */
export const SEAL = 'topo2topo/seal';

/** Who seals, and what. */
export interface SealRequest {
  /** Tells the seal from every other: whoever sealed undoes it by this, and no other. */
  readonly id: string;
  /** What kind of store it is: what in it belongs to a lock or an election depends on that. */
  readonly scope: 'global' | 'cell';
  /** Undefined: unknown. */
  readonly host?: string | undefined;
  /** Undefined: unknown. */
  readonly user?: string | undefined;
}

/** A seal that is on a store, whole or in part. */
export interface Seal {
  readonly id: string;
  readonly host: string | undefined;
  readonly user: string | undefined;
  /** When it was begun, by the clock of who did: milliseconds since the epoch. */
  readonly since: number;
  /** False: it is being put on or taken off, or whoever did that died over it. */
  readonly whole: boolean;
  /** Who may write all the same, in words, for instance administrators of the store. */
  readonly exempt: readonly string[];
}

/** Which seal to take off. */
export interface UnsealOptions extends CallOptions {
  /** Only the seal of this id; what another seal is on stays as it is. Undefined: whatever is there. */
  readonly id?: string | undefined;
}

/** What was undone. */
export interface Unsealed {
  /** The seal that was taken off; undefined: there was none, or only what somebody had left of one. */
  readonly seal: Seal | undefined;
  /** How many rights were given back: those of znodes, or of roles. */
  readonly restored: number;
  /** Rights that somebody else changed since, in words: they are left as they are. */
  readonly changed: readonly string[];
}

/** A seal as a record, for the stores that keep it in one. `more`: what the store needs to undo it. */
export function formatSeal(seal: Seal, more: object = {}): Uint8Array {
  const { id, host, user, since, whole, exempt } = seal;
  const fields = { undo: 'topo2topo unseal ADDRESS', id, host, user, since, whole, exempt, ...more };
  return Buffer.from(`${JSON.stringify(fields, null, 2)}\n`);
}

/** Reads what {@link formatSeal} wrote; undefined where it is something else. */
export function parseSeal(bytes: Uint8Array): (Seal & Readonly<Record<string, unknown>>) | undefined {
  let found: unknown;
  try {
    found = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  if (typeof found !== 'object' || found === null || !('id' in found)) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...found };
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  const exempt = Array.isArray(fields['exempt']) ? fields['exempt'].map(String) : [];
  return {
    ...fields,
    id: text('id') ?? '',
    host: text('host'),
    user: text('user'),
    since: Number(fields['since']),
    whole: fields['whole'] === true,
    exempt,
  };
}

/** Who sealed and when, in a few words. */
export function sealedBy({ host, user, since }: Seal): string {
  const who = host === undefined ? 'somebody' : user === undefined ? host : `${user}@${host}`;
  return `${who}, ${new Date(since).toISOString()}`;
}

/** A record in the place of a seal's that cannot be read. */
export const UNREADABLE: Seal = {
  id: '',
  host: undefined,
  user: undefined,
  since: 0,
  whole: false,
  exempt: [],
};

const TAKE_OFF = 'if nobody needs that seal any more, take it off: topo2topo unseal';

/** NodeExists: there is a seal on the store. */
export function alreadySealed(store: string, found: Seal): TopologyError {
  const message = `the store is sealed already, by ${sealedBy(found)}`;
  return new TopologyError(ErrorCode.NodeExists, message, { path: SEAL, store, hint: TAKE_OFF });
}

/** BadVersion: the seal that is on the store is not the one that is meant. */
export function anotherSeal(store: string, found: Seal): TopologyError {
  const message = `another seal is on the store, by ${sealedBy(found)}`;
  return new TopologyError(ErrorCode.BadVersion, message, { path: SEAL, store, hint: TAKE_OFF });
}
