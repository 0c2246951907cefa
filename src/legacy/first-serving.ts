import type { JsonObject } from '../topo/codec-json.js';
import { type FirstObject, MAX_UID } from './first-object.js';
import { firstRange } from './first-range.js';
import { readInteger, readText } from './second-scalars.js';

/** A SrvShard of generation 1, in canonical JSON. What it serves, and what tablets there are, stands in SrvKeyspace and EndPoints. */
export function readFirstSrvShard(graph: FirstObject, shard: string): JsonObject {
  const keyRange = firstRange(graph, shard);
  const json = {
    name: graph.text('Name') || shard,
    ...(keyRange === undefined ? {} : { key_range: keyRange }),
    master_cell: graph.text('MasterCell'),
  };
  graph.derive('ServedTypes', 'the types that the Shard serves');
  graph.derive('TabletTypes', 'the types of the cell’s tablets');
  graph.derive('AddrsByType', 'the addresses of the cell’s tablets');
  graph.derive('ReadOnly', 'whether the primary takes writes');
  graph.rest();
  return json;
}

/** EndPoints of generation 1, in canonical JSON. Ports are called as in Tablet: `_vtocc` is vt, `_mysql` mysql, `_vts` vts. */
export function readFirstEndPoints(endPoints: FirstObject): JsonObject {
  const entries = endPoints.objects('entries').map((entry): JsonObject => {
    const ports = Object.entries(entry.map('named_port_map', (port, at) => readInteger(port, at, 0, 65_535)));
    const made = {
      uid: entry.integer('uid', 0, MAX_UID),
      host: entry.text('host'),
      port_map: Object.fromEntries(ports.map(([name, port]) => [PORT_NAMES.get(name) ?? name, port])),
      health_map: entry.map('health', readText),
    };
    entry.derive('port', 'the port of the tablet, before ports had names');
    entry.rest();
    return made;
  });
  endPoints.rest();
  return { entries };
}

const PORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['_vtocc', 'vt'],
  ['_vts', 'vts'],
  ['_mysql', 'mysql'],
]);
