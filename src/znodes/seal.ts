import type { Sealing } from '../topo/checked.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import {
  alreadySealed,
  anotherSeal,
  formatSeal,
  parseSeal,
  SEAL,
  type Seal,
  type SealRequest,
  UNREADABLE,
  type Unsealed,
  type UnsealOptions,
} from '../topo/seal.js';
import { noDirectory } from './error.js';
import { create, remove, update } from './file.js';
import { learn } from './seal-known.js';
import { SealSession } from './seal-session.js';
import { walkDown } from './seal-walk.js';
import { type Sealable, sealZnode, type Unsealable, unsealZnode } from './seal-znode.js';
import { inTurn } from './sessions.js';
import { type Store, settle } from './store.js';
import { makeVersion } from './version.js';

/** What a connection over znodes does about seals. */
export function sealingOf(store: Store): Sealing {
  return {
    prepareSeal: (scope, options) => prepareSeal(store, scope, options),
    seal: (request, options) => seal(store, request, options),
    unseal: (options) => unseal(store, options),
    sealed: (options) => sealed(store, options),
  };
}

/**
 * Takes the right to write from every ACL below the root, parents first: once a directory's children are listed, none can come or go.
 * ZooKeeper judges a write in the order in which it carries writes out, so what was acknowledged is there when the walk is over.
 *
 * Who may change ACLs still may, whoever it is: with Vitess's own ACLs that is everybody. So this keeps out whoever keeps to ACLs,
 * as all of Vitess does, and no adversary.
 */
async function seal(store: Store, request: SealRequest, options: CallOptions | undefined): Promise<Seal> {
  const { context } = store;
  if ((await store.readZnode('', options)) === undefined) throw noDirectory(context, '');
  const { id, scope, host, user } = request;
  const begun: Seal = { id, host, user, since: context.clock.now(), whole: false, exempt: [] };
  const version = await settle(create(store, SEAL, formatSeal(begun), options), ErrorCode.NodeExists);
  if (version === undefined) throw alreadySealed(context.store, (await sealed(store, options)) ?? UNREADABLE);
  const { known } = store;
  store.known = undefined;
  const siblings = new Map(known && [['', known]]);
  await overSessions(store, known !== undefined, options, async (via, anyone) => {
    // Nothing holds the root itself as it was.
    const root: Sealable = { path: '', name: '', siblings, isSame: false, via };
    await walkDown(root, (znode) =>
      store.layout.isLeftAlone(scope, znode.path) ? NOBODY : sealZnode(znode, anyone),
    );
  });
  const whole = { ...begun, whole: true };
  // Conditional: whoever took the seal off meanwhile has deleted the record.
  await update(store, SEAL, formatSeal(whole), version, options);
  const top = siblings.get('');
  store.knownSeal = top && { id, top };
  return whole;
}

const NOBODY: Promise<readonly Sealable[]> = Promise.resolve([]);

/**
 * Does work over the primary session and others.
 *
 * @param many whether others are opened where they are not yet: as soon as most of the work asks for no order
 */
async function overSessions(
  store: Store,
  many: boolean,
  options: CallOptions | undefined,
  work: (primary: SealSession, anyone: () => SealSession) => Promise<void>,
): Promise<void> {
  const clients = await store.sessions.forSealing(many);
  const primary = new SealSession(store, store.sessions.primary, options);
  const others = clients.map((client) => new SealSession(store, client, options));
  try {
    // What an earlier walk sent, and nobody waits for any more, is not to come after what is sent now.
    await Promise.all(others.map((session) => session.catchUp()));
    await work(primary, inTurn(primary, others));
  } finally {
    store.sessions.delivered(clients);
  }
}

/** Learns what every ACL is: then sealing takes one request a znode. */
async function prepareSeal(
  store: Store,
  scope: SealRequest['scope'],
  options: CallOptions | undefined,
): Promise<void> {
  store.known = await learn(store, scope, options);
  // A new session moves the store's position: none is to be opened once that counts.
  await store.sessions.forSealing(store.known !== undefined);
}

async function unseal(store: Store, options: UnsealOptions | undefined): Promise<Unsealed> {
  const record = await readSeal(store, options);
  const found = record?.seal;
  if (record !== undefined && options?.id !== undefined && found?.id !== options.id)
    throw anotherSeal(store.context.store, found ?? UNREADABLE);
  const { knownSeal } = store;
  store.knownSeal = undefined;
  // One that is half off may have been taken off by others, and what they left is not known.
  const known = found?.whole === true && found.id === knownSeal?.id ? knownSeal.top : undefined;
  const halfOff = formatSeal({ ...(found ?? UNREADABLE), whole: false });
  const version = record && (await update(store, SEAL, halfOff, record.version, options));
  let restored = 0;
  const changed: string[] = [];
  await overSessions(store, known !== undefined, options, async (via, anyone) => {
    const root: Unsealable = { path: '', known, via };
    await walkDown(root, (znode) =>
      unsealZnode(znode, anyone, (intact) => {
        restored += 1;
        if (!intact) changed.push(znode.path === '' ? store.root : znode.path);
      }),
    );
  });
  if (version !== undefined) await remove(store, SEAL, version, options);
  return { seal: found, restored, changed: changed.sort() };
}

async function sealed(store: Store, options: CallOptions | undefined): Promise<Seal | undefined> {
  const record = await readSeal(store, options);
  return record && (record.seal ?? UNREADABLE);
}

async function readSeal(store: Store, options: CallOptions | undefined) {
  const znode = await store.readZnode(SEAL, options);
  if (znode === undefined) return undefined;
  return {
    seal: parseSeal(znode.data ?? new Uint8Array()),
    version: makeVersion(store.context.store, znode.stat),
  };
}
