import { property } from '../../../graph/shards.js';
import { decode } from '../../../topo/codec.js';
import { toVtctlJson, type VtctlForm } from '../../../topo/codec-vtctl.js';
import { ErrorCode, TopologyError } from '../../../topo/errors.js';
import { findDecodable } from '../../../topo/find.js';
import { formatTabletAlias } from '../../../topo/names.js';
import { json } from '../../io.js';
import { printable } from '../../lists.js';
import type { Call } from './command.js';

/** A record of a store that has to be there, as its bytes. NoNode; Corrupt. */
export async function recordAt(
  { topology, options }: Pick<Call, 'topology' | 'options'>,
  path: string,
  message: string,
  store = topology.global,
): Promise<Uint8Array> {
  const found = await findDecodable(store, path, message, options);
  if (found !== undefined) return found.bytes;
  throw new TopologyError(ErrorCode.NoNode, 'there is no such record', { path, store: store.store });
}

/** Prints a record as vtctl's printJSON does: every field, enums as numbers. */
export function printRecord({ io }: Call, message: string, bytes: Uint8Array): void {
  io.out(json(toVtctlJson(message, bytes, 'all')));
}

/** Prints several records, by name, as Go prints a map of structures. */
export function printRecords(
  { io }: Call,
  message: string,
  records: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): void {
  const form: VtctlForm = 'set';
  const named = records.map(({ name, bytes }) => [name, toVtctlJson(message, bytes, form)]);
  io.out(json(Object.fromEntries(named)));
}

/** Prints a VSchema or rules: what is set, enums by name. */
export function printSet({ io }: Call, message: string, bytes: Uint8Array): void {
  io.out(json(decode(message, bytes).json));
}

/** Prints names, one a line; an empty line when there are none, as Vitess does. */
export function printNames({ io }: Call, names: readonly string[]): void {
  io.out(names.map(printable).join('\n'));
}

/** A Tablet for awk: alias, keyspace, shard, type, address, address of MySQL, tags, start of the primary's term. */
export function tabletLine(json: Readonly<Record<string, unknown>>, type: string): string {
  const text = (name: string) => String(json[name] ?? '');
  const alias = json['alias'];
  const name = formatTabletAlias({
    cell: String(property(alias, 'cell') ?? ''),
    uid: Number(property(alias, 'uid') ?? 0),
  });
  const seconds = Number(property(json['primary_term_start_time'], 'seconds') ?? 0);
  return [
    name,
    text('keyspace') || NULL,
    text('shard') || NULL,
    type.toLowerCase(),
    hostPort(text('hostname'), property(json['port_map'], 'vt')),
    hostPort(text('mysql_hostname'), json['mysql_port']),
    tagsText(json['tags']),
    seconds > 0 ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z') : NULL,
  ]
    .map(printable)
    .join(' ');
}

const NULL = '<null>';

function hostPort(host: string, port: unknown): string {
  return `${host.includes(':') ? `[${host}]` : host}:${Number(port ?? 0)}`;
}

function tagsText(tags: unknown): string {
  const pairs = Object.entries(typeof tags === 'object' && tags !== null ? tags : {})
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .sort();
  return `[${pairs.join(' ')}]`;
}
