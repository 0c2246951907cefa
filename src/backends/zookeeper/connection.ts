import { FORM_NAME, holdOld } from '../../legacy/transcoder.js';
import { CheckedConnection } from '../../topo/checked.js';
import type { Capabilities, Connection } from '../../topo/connection.js';
import type { RecordForm } from '../../topo/told.js';
import { identity } from '../../znodes/identity.js';
import { capabilitiesOf } from '../../znodes/limits.js';
import { position } from '../../znodes/position.js';
import { sealingOf } from '../../znodes/seal.js';
import { listDir, listDirFull } from './directory.js';
import { get } from './file.js';
import type { LegacyStore } from './legacy-store.js';
import { acquire, leader, lockQueue, watchLeader } from './lock.js';
import { scan } from './scan.js';
import { servingOf } from './serving.js';
import { watch, watchRecursive } from './watch.js';
import { create, remove, update, write } from './write.js';

/** A topology of 2012 to 2017 as the canonical tree. */
export function zookeeperConnection(legacy: LegacyStore, close: () => Promise<void>): Connection {
  const { store } = legacy;
  return new CheckedConnection({
    context: store.context,
    root: store.root,
    capabilities: capabilities(legacy),
    instead: 'use --zk-client own',
    listDir: (path, options) => listDir(legacy, path, options),
    listDirFull: (path, options) => listDirFull(legacy, path, options),
    get: (path, options) => get(legacy, path, options),
    scan: (prefix, options) => scan(legacy, prefix, options),
    create: (path, bytes, options) => create(legacy, path, bytes, options),
    update: (path, bytes, version, options) => update(legacy, path, bytes, version, options),
    delete: (path, version, options) => remove(legacy, path, version, options),
    write: (ops, options) => write(legacy, ops, options),
    watch: (path, options) => watch(legacy, path, options),
    watchRecursive: (prefix, options) => watchRecursive(legacy, prefix, options),
    acquire: (request, options) => acquire(legacy, request, options),
    lockQueue: (dir, options) => lockQueue(legacy, dir, options),
    leader: (dir, options) => leader(legacy, dir, options),
    watchLeader: (dir, options) => watchLeader(legacy, dir, options),
    position: async (options) => {
      await legacy.global?.bringUpToDate(options);
      return position(store, options);
    },
    identity: (options) => identity(store, options),
    sealing: sealingOf(store),
    serving: servingOf(legacy),
    close,
  });
}

/** How many times as large as in protobuf a record may be in JSON, and what comes with it. */
const GROWTH = 10;

function capabilities(legacy: LegacyStore): Capabilities {
  const all = capabilitiesOf(legacy.store);
  const maxBytes = Math.floor(all.batch.maxBytes / GROWTH);
  const batch = { ...all.batch, maxBytes };
  return { ...all, batch, locksInRecords: true, goesLast: true, form: formOf(legacy) };
}

/** By cell: what connections to one store can do is the same. */
const FORMS = new Map<string, RecordForm>();

function formOf(legacy: LegacyStore): RecordForm {
  const { maxValueBytes } = capabilitiesOf(legacy.store);
  const key = `${legacy.places.cell ?? ''}/${legacy.typeNumbers ?? ''}/${maxValueBytes}`;
  const known = FORMS.get(key) ?? makeForm(legacy, maxValueBytes);
  FORMS.set(key, known);
  return known;
}

function makeForm({ places, typeNumbers = 'current' }: LegacyStore, maxBytes: number): RecordForm {
  return {
    name: FORM_NAME,
    hold: (path, bytes) => {
      const place = places.place(places.native(path));
      return place.is === 'record' ? holdOld(place, bytes, typeNumbers, maxBytes) : { bytes, losses: [] };
    },
  };
}
