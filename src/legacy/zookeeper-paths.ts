import { ErrorCode, TopologyError } from '../topo/errors.js';
import { formatTabletAlias, parseTabletAlias } from '../topo/names.js';
import { joinPath } from '../topo/paths.js';
import { describePlace, type OldKind, type OldPlace, type OldRecord } from './places.js';
import { isTypeName } from './tablet-types.js';

/** A cell, undefined for the global store, and a path in the canonical tree of its store. */
export interface Located {
  readonly cell: string | undefined;
  readonly path: string;
}

/** What a znode of a legacy `zookeeper` tree is, and whose it is. */
export interface ZookeeperPlace {
  /** Undefined: the global store. */
  readonly cell: string | undefined;
  readonly place: OldPlace;
}

/**
 * What the znode at an absolute path such as `/zk/nyc/vt/tablets/0000000100` is. Never fails; undefined for what is outside of all
 * topologies: only `/zk/<cell>/vt` and what is below it belongs to one. `local` is a cell like any other here.
 */
export function fromZnode(znode: string): ZookeeperPlace | undefined {
  const [root, zk, name, vt, ...segments] = znode.split('/');
  if (root !== '' || zk !== 'zk' || vt !== 'vt' || name === undefined || name === '') return undefined;
  if (segments.includes('')) return undefined;
  const cell = name === 'global' ? undefined : name;
  const place = cell === undefined ? globalPlace(segments) : cellPlace(cell, segments);
  return { cell, place: place ?? rawPlace({ cell, path: joinPath(...segments) }, znode) };
}

/**
 * The znode of a record of the canonical tree. InvalidPath, saying why, where the tree has something else at that place, so that the record
 * would not be found again.
 */
export function toZnode({ cell, path }: Located): string {
  const segments = path.split('/');
  const native = (cell === undefined ? globalNative(segments) : cellNative(cell, segments)) ?? path;
  const znode = `/zk/${cell ?? 'global'}/vt/${native}`;
  const back = fromZnode(znode)?.place;
  if (back !== undefined && 'path' in back && back.path === path && back.is !== 'derived') return znode;
  throw new TopologyError(
    ErrorCode.InvalidPath,
    `a zookeeper tree of the old form cannot hold this: ${whyNot(back, znode)}`,
    {
      path,
      hint: 'leave this record out',
    },
  );
}

/**
 * The znodes, without data, that come with the one of a record: whoever creates it creates them too, since Vitess of the time locked through them and
 * counted on them.
 */
export function companionsOf(record: Located): string[] {
  const znode = toZnode(record);
  const place = fromZnode(znode)?.place;
  const names = place?.is === 'record' ? (COMPANIONS.get(place.kind) ?? []) : [];
  return names.map((name) => `${znode}/${name}`);
}

const COMPANIONS: ReadonlyMap<OldKind, readonly string[]> = new Map<OldKind, readonly string[]>([
  ['Keyspace', ['action', 'actionlog', 'shards']],
  ['Shard', ['action', 'actionlog']],
  ['Tablet', ['action', 'actionlog']],
]);

function whyNot(back: OldPlace | undefined, znode: string): string {
  if (back?.is === 'stray') return back.why;
  return `${znode} is ${back === undefined ? 'no path' : describePlace(back)}`;
}

function globalPlace(segments: readonly string[]): OldPlace | undefined {
  const [first, keyspace, second, shard, ...below] = segments;
  if (first === undefined) return { is: 'directory' };
  if (first === 'vschema' && keyspace === undefined) return { is: 'vschemas' };
  if (first === 'election')
    return keyspace === undefined
      ? { is: 'directory' }
      : { is: 'election', path: joinPath('elections', ...segments.slice(1)) };
  if (first !== 'keyspaces') return undefined;
  if (keyspace === undefined) return { is: 'directory' };
  const of = `keyspaces/${keyspace}`;
  if (second === undefined)
    return json({ kind: 'Keyspace', path: `${of}/Keyspace`, cell: undefined, keyspace });
  if (second === 'vschema' && shard === undefined)
    return json({ kind: 'VSchema', path: `${of}/VSchema`, cell: undefined, keyspace });
  if (second !== 'shards') return actions(segments.slice(2), of);
  if (shard === undefined) return { is: 'directory' };
  const ofShard = `${of}/shards/${shard}`;
  if (below.length === 0)
    return json({ kind: 'Shard', path: `${ofShard}/Shard`, cell: undefined, keyspace, shard });
  if (below.every(isAlias)) return { is: 'replication-path', keyspace, shard, aliases: below };
  return actions(below, ofShard);
}

function cellPlace(cell: string, segments: readonly string[]): OldPlace | undefined {
  const [first, second, third, fourth, ...below] = segments;
  switch (first) {
    case undefined:
      return { is: 'directory' };
    case 'tablets':
      return tabletPlace(cell, segments.slice(1));
    case 'vschema':
      return second === undefined ? json({ kind: 'SrvVSchema', path: 'SrvVSchema', cell }) : undefined;
    case 'replication':
      if (second === undefined || third === undefined) return { is: 'directory' };
      return fourth === undefined
        ? json({
            kind: 'ShardReplication',
            path: `keyspaces/${second}/shards/${third}/ShardReplication`,
            ...{ cell, keyspace: second, shard: third },
          })
        : undefined;
    case 'ns':
      if (second === undefined) return { is: 'directory' };
      if (third === undefined)
        return json({ kind: 'SrvKeyspace', path: `keyspaces/${second}/SrvKeyspace`, cell, keyspace: second });
      return servingPlace(cell, second, third, fourth === undefined ? [] : [fourth, ...below]);
    default:
      return undefined;
  }
}

function servingPlace(
  cell: string,
  keyspace: string,
  shard: string,
  below: readonly string[],
): OldPlace | undefined {
  const of = `ns/${keyspace}/${shard}`;
  const [type, ...rest] = below;
  if (type === undefined) return { is: 'derived', kind: 'SrvShard', path: of, cell, keyspace, shard };
  const action = actions(below, of);
  if (action !== undefined || rest.length > 0 || !isTypeName(type)) return action;
  return { is: 'derived', kind: 'EndPoints', path: `${of}/${type}`, cell, keyspace, shard };
}

function tabletPlace(cell: string, segments: readonly string[]): OldPlace {
  const [uid, ...below] = segments;
  if (uid === undefined) return { is: 'directory' };
  // Whatever begins with `tablets` in a cell's store is read as a Tablet by Vitess on etcd.
  if (!/^\d{10}$/.test(uid) || Number(uid) > 0xffff_ffff)
    return { is: 'stray', why: 'not the number of a tablet' };
  const alias = formatTabletAlias({ cell, uid: Number(uid) });
  if (below.length === 0) return json({ kind: 'Tablet', path: `tablets/${alias}/Tablet`, cell, alias });
  if (below[0] === 'pid' && below.length === 1) return { is: 'pid' };
  return actions(below, `tablets/${alias}`) ?? { is: 'stray', why: 'below a tablet' };
}

/** What is below a node that comes with `action` and `actionlog`. */
function actions(below: readonly string[], of: string): OldPlace | undefined {
  const [first, entry] = below;
  if (first !== 'action' && first !== 'actionlog') return undefined;
  if (entry === undefined) return { is: 'directory' };
  return first === 'action' ? { is: 'lock', of } : { is: 'lock-result' };
}

/** A znode of a file that was added after August 2016: it stands where the canonical tree has it. */
function rawPlace(located: Located, znode: string): OldPlace {
  const segments = located.path.split('/');
  const native = located.cell === undefined ? globalNative(segments) : cellNative(located.cell, segments);
  if (native === undefined) return { is: 'raw', path: located.path };
  return {
    is: 'stray',
    why: `the record of this path is kept in ${znode.split('/').slice(0, 4).join('/')}/${native}`,
  };
}

function globalNative(segments: readonly string[]): string | undefined {
  const [first, keyspace = '', second, shard = '', last] = segments;
  if (first === 'elections') return joinPath('election', ...segments.slice(1));
  if (first !== 'keyspaces') return undefined;
  if (segments.length === 3 && second === 'Keyspace') return `keyspaces/${keyspace}`;
  if (segments.length === 3 && second === 'VSchema') return `keyspaces/${keyspace}/vschema`;
  return segments.length === 5 && second === 'shards' && last === 'Shard'
    ? `keyspaces/${keyspace}/shards/${shard}`
    : undefined;
}

function cellNative(cell: string, segments: readonly string[]): string | undefined {
  const [first, name = '', second, shard = '', last] = segments;
  if (segments.length === 1 && first === 'SrvVSchema') return 'vschema';
  if (first === 'tablets')
    return segments.length === 3 && second === 'Tablet' ? tabletNative(cell, name) : undefined;
  if (first !== 'keyspaces') return undefined;
  if (segments.length === 3 && second === 'SrvKeyspace') return `ns/${name}`;
  if (segments.length === 5 && second === 'shards' && last === 'ShardReplication')
    return `replication/${name}/${shard}`;
  return undefined;
}

/** The node of a tablet has its number alone: a tablet of another cell has no place, and one whose number is not padded is another's. */
function tabletNative(cell: string, alias: string): string | undefined {
  if (!isAlias(alias)) return undefined;
  const parsed = parseTabletAlias(alias);
  return parsed.cell === cell && formatTabletAlias(parsed) === alias
    ? `tablets/${alias.slice(-10)}`
    : undefined;
}

function isAlias(text: string): boolean {
  const [, digits] = /^[A-Za-z0-9._-]+-(\d+)$/.exec(text) ?? [];
  return digits !== undefined && Number(digits) <= 0xffff_ffff;
}

function json(record: OldRecord): OldPlace {
  return { is: 'record', ...record };
}
