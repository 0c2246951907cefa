import type { JsonObject } from '../topo/codec-json.js';
import type { TabletAlias } from '../topo/names.js';
import { type FirstObject, MAX_UID } from './first-object.js';
import { firstRange } from './first-range.js';
import { parentLoss } from './first-replication.js';
import { readInteger, readText } from './second-scalars.js';
import { typeIn, typeNumber } from './tablet-types.js';

/**
 * A Tablet of generation 1, in canonical JSON; undefined: a tablet of its type is left out. Facts, read in go/vt/topo/tablet.go of 2013 to
 * 2015: Alias, Hostname, IPAddr and Portmap replace Cell and Uid, Addr (port `vt`), SecureAddr (`vts`), MysqlAddr and MysqlIpAddr (`mysql`), and count
 * where both are there.
 */
export function readFirstTablet(tablet: FirstObject): JsonObject | undefined {
  const { reading } = tablet;
  const word = tablet.take('Type') ?? '';
  const type = typeNumber(word, tablet.at('Type'), reading);
  // Everything else in such a tablet goes with it.
  if (typeIn(word, reading.numbering)?.leftOut === true) return undefined;
  const alias = aliasOf(tablet);
  const where = placeOf(tablet);
  const shard = tablet.text('Shard');
  const keyRange = firstRange(tablet, shard);
  const parent = tablet.alias('Parent');
  if (parent !== undefined) reading.losses.push(parentLoss(tablet, 'Parent', parent));
  tablet.lose('State', 'state');
  tablet.lose('Health', 'health');
  const json = {
    ...(alias === undefined ? {} : { alias: { ...alias } }),
    ...where,
    keyspace: tablet.text('Keyspace'),
    shard,
    ...(keyRange === undefined ? {} : { key_range: keyRange }),
    type,
    db_name_override: tablet.text('DbNameOverride'),
    tags: tablet.map('Tags', readText),
  };
  tablet.rest();
  return json;
}

function aliasOf(tablet: FirstObject): TabletAlias | undefined {
  const old = { cell: tablet.text('Cell'), uid: tablet.integer('Uid', 0, MAX_UID) };
  return tablet.alias('Alias') ?? (old.cell === '' && old.uid === 0 ? undefined : old);
}

/** Where a tablet is reached, in canonical JSON. */
interface Place {
  hostname: string;
  ip: string;
  port_map: { [name: string]: number };
  mysql_hostname?: string;
  mysql_port?: number;
}

function placeOf(tablet: FirstObject): JsonObject {
  const place: Place = {
    hostname: tablet.text('Hostname'),
    ip: tablet.text('IPAddr'),
    port_map: tablet.map('Portmap', (port, at) => readInteger(port, at, 0, MAX_PORT)),
  };
  takeAddress(tablet, 'Addr', place, 'hostname', 'vt');
  takeAddress(tablet, 'SecureAddr', place, 'hostname', 'vts');
  takeAddress(tablet, 'MysqlIpAddr', place, 'ip', 'mysql');
  takeAddress(tablet, 'MysqlAddr', place, 'hostname', 'mysql');
  return { ...place };
}

function takeAddress(
  tablet: FirstObject,
  name: string,
  place: Place,
  host: 'hostname' | 'ip',
  port: string,
): void {
  const text = tablet.text(name);
  if (text === '') return;
  const parts = hostAndPort(text);
  if (parts !== undefined) {
    if (place[host] === '') place[host] = parts.host;
    place.port_map[port] ??= parts.port;
    if (place[host] === parts.host && place.port_map[port] === parts.port) return;
    if (name === 'MysqlAddr' && place.hostname !== parts.host) {
      // MySQL on a host of its own has fields for that today.
      place.mysql_hostname = parts.host;
      place.mysql_port = parts.port;
      return;
    }
  }
  const { path, losses } = tablet.reading;
  losses.push({ kind: 'address', path, field: tablet.at(name), value: text });
}

/** `host:port`, and `[ip]:port` for IPv6; undefined: neither. */
function hostAndPort(text: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(digits) > MAX_PORT ? undefined : { host, port: Number(digits) };
}

const MAX_PORT = 65_535;
