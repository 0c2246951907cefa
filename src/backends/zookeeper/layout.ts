import type { OldKind, OldPlace } from '../../legacy/places.js';
import { classify, type Kind } from '../../topo/kinds.js';
import { baseName, isBelow, joinPath, parentPath } from '../../topo/paths.js';
import type { Layout } from '../../znodes/layout.js';
import { DIRECTORY_ACL, dependsOnChildren, isRecord, type Znode } from '../../znodes/znode.js';
import { ELECTION, LOCKS, type Places } from './places.js';

/** How the znodes of a store lie, by their native paths. */
export function layoutOf(places: Places): Layout {
  const queueOf = (dir: string): string | undefined => {
    const queue = joinPath(dir, 'action');
    return places.place(`${queue}/0000000000`).is === 'lock' ? queue : undefined;
  };
  return {
    // Vitess of the time gave everything to everybody.
    recordAcl: DIRECTORY_ACL,
    isRecord: (native, znode) => isRecordAt(places.place(native), native, znode),
    dependsOnChildren: (native, znode) => {
      const place = places.place(native);
      if (place.is === 'record') return !ALWAYS.has(place.kind) && (znode.data?.byteLength ?? 0) === 0;
      return (place.is === 'raw' || place.is === 'election') && dependsOnChildren(native, znode);
    },
    companions: (native) => {
      const place = places.place(native);
      return place.is === 'record' ? places.companions(place.path) : [];
    },
    inside: (companion) => {
      if (isLockPlace(places, companion)) return 'entries';
      return places.place(`${companion}/0`).is === 'lock-result' ? 'results' : 'records';
    },
    stays: (native) => {
      const place = places.place(native);
      if (place.is !== 'directory') return place.is === 'record';
      const of = places.place(parentPath(native));
      return of.is === 'record' && places.companions(of.path).includes(native);
    },
    queue: (dir, purpose) =>
      purpose === 'election' || isBelow(dir, ELECTION) ? dir : (queueOf(dir) ?? joinPath(dir, LOCKS)),
    shown: (entry) => {
      const place = places.place(entry);
      if (place.is === 'lock') return joinPath(place.of, LOCKS, baseName(entry));
      return place.is === 'election' ? place.path : entry;
    },
    result: (entry, contents) => {
      const queue = parentPath(entry);
      if (!isLockPlace(places, queue)) return undefined;
      const path = `${parentPath(queue)}/actionlog/${baseName(entry)}`;
      return { path, contents: contents.replace(/("Status": *)"Running"/, '$1"Done"') };
    },
    isLeftAlone: (scope, native) => {
      const isQueue = native.startsWith(`${ELECTION}/`) || isLockPlace(places, native);
      return isQueue || LEFT_ALONE.has(classify(scope, native, false).kind);
    },
  };
}

const LEFT_ALONE: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Control']);

function isLockPlace(places: Places, queue: string): boolean {
  return places.place(`${queue}/0000000000`).is === 'lock';
}

/** Kinds whose znodes are records whatever they hold: they had no data at first. */
const ALWAYS: ReadonlySet<OldKind> = new Set<OldKind>(['Keyspace', 'Shard', 'Tablet']);

/** Whether a znode is a record. One of the serving graph without data holds shards only. */
function isRecordAt(place: OldPlace, native: string, znode: Znode): boolean {
  const bytes = znode.data?.byteLength ?? 0;
  switch (place.is) {
    case 'record':
      if (bytes > 0 || ALWAYS.has(place.kind)) return true;
      return place.kind !== 'SrvKeyspace' && znode.stat.numChildren === 0;
    case 'vschemas':
    case 'derived':
      return bytes > 0;
    case 'replication-path':
      return true;
    case 'lock':
      return znode.stat.numChildren === 0;
    case 'raw':
    case 'election':
      return isRecord(native, znode);
    default:
      return false;
  }
}
