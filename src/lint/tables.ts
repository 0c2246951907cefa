import { object } from '../editing/ranges.js';
import type { World } from './world.js';

/** The two parts of a table's name; undefined for what is none. */
export function parseTable(name: string): { readonly keyspace: string; readonly table: string } | undefined {
  const [first = '', second, ...more] = name.replaceAll('`', '').split('.');
  if (more.length > 0 || first === '' || second === '') return undefined;
  return second === undefined ? { keyspace: '', table: first } : { keyspace: first, table: second };
}

/** Why a table cannot be found. */
export interface Missing {
  readonly of: 'keyspace' | 'table';
  readonly text: string;
}

/**
 * Looks for a table as vtgate does (FindTable in go/vt/vtgate/vindexes/vschema.go): in an unsharded keyspace every table is there,
 * unless it `mustBeListed`; without a keyspace, in that of the one VSchema, else where its name is the only one. Undefined: it is found.
 */
export function missing(world: World, name: string, mustBeListed = false): Missing | undefined {
  const parsed = parseTable(name);
  if (parsed === undefined) return { of: 'table', text: `${name || '(nothing)'} is no table’s name` };
  const { table } = parsed;
  const [only] = world.keyspaces.size === 1 ? [...world.keyspaces.keys()] : [];
  const keyspace = parsed.keyspace === '' ? only : parsed.keyspace;
  if (keyspace === undefined) return missingAnywhere(world, table);
  const known = world.keyspaces.get(keyspace);
  if (known === undefined) return { of: 'keyspace', text: `${name}: there is no keyspace ${keyspace}` };
  // A VSchema that is there and does not decode may hold anything.
  if (known.hasVSchema && known.vschema === undefined) return undefined;
  const { sharded, tables } = known.vschema ?? {};
  if (Object.hasOwn(object(tables), table) || (sharded !== true && !mustBeListed)) return undefined;
  return { of: 'table', text: `${name}: the VSchema of ${keyspace} has no table ${table}` };
}

function missingAnywhere(world: World, table: string): Missing | undefined {
  const all = [...world.keyspaces.values()];
  if (all.some(({ hasVSchema, vschema }) => hasVSchema && vschema === undefined)) return undefined;
  const holders = all
    .filter(({ vschema }) => vschema?.['require_explicit_routing'] !== true)
    .filter(({ vschema }) => Object.hasOwn(object(vschema?.['tables']), table))
    .map(({ name }) => name);
  if (holders.length === 1) return undefined;
  if (holders.length === 0) return { of: 'table', text: `${table}: no VSchema has this table` };
  return { of: 'table', text: `${table}: it is in the VSchemas of ${holders.join(' and ')}` };
}
