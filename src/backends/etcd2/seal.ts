import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import {
  alreadySealed,
  anotherSeal,
  parseSeal,
  SEAL,
  type Seal,
  type SealRequest,
  UNREADABLE,
  type Unsealed,
  type UnsealOptions,
} from '../../topo/seal.js';
import { sleep } from '../../topo/sleep.js';
import type { EtcdClient } from './client.js';
import { get } from './file.js';
import {
  busy,
  type KnownRole,
  type ReadRegister,
  type Register,
  rangesOf,
  readRegister,
  writeRegister,
} from './seal-register.js';
import { type Grant, merged, type Step, sealedGrants, stepsTo, writesIn } from './seal-roles.js';

/** Why a store without users cannot be sealed. */
export const NO_USERS =
  'etcd knows who writes only with authentication on, and a login that may change roles: a user with the role root';

/** What may do everything, whatever it grants. */
const ROOT = 'root';
/** Milliseconds for which another seal of the cluster is waited for, and between two looks at it. */
const BUSY_MS = 15_000;
const LOOK_MS = 50;

/**
 * Takes the right to write below the root from every role. etcd judges a write when it carries it out: what was acknowledged is there
 * when the last role has changed. Users with the role root are asked for nothing, and are named as exempt.
 */
export async function seal(
  client: EtcdClient,
  request: SealRequest,
  options: CallOptions | undefined,
): Promise<Seal> {
  const { context, keys } = client;
  const below = keys.below('');
  const { count } = await client.read('range', { ...below, count_only: true }, '', options);
  if (count === '0')
    throw new TopologyError(ErrorCode.NoNode, 'there is nothing below the root', {
      path: '',
      store: context.store,
    });
  const now = await rolesOf(client, options);
  const { id, host, user } = request;
  const exempt = await administrators(client, options);
  const begun: Seal = { id, host, user, since: context.clock.now(), whole: false, exempt };
  const register = await changeRegister(client, options, (read) => {
    const there = read.seals.get(keys.root);
    if (there !== undefined) throw alreadySealed(context.store, there);
    const known = new Set(read.roles.map(({ name }) => name));
    const added: KnownRole[] = [...now]
      .filter(([name, was]) => !known.has(name) && sealedGrants(was, [below]) !== was)
      .map(([name, was]) => ({ name, was }));
    return {
      seals: new Map([...read.seals, [keys.root, begun]]),
      roles: [...read.roles, ...added],
      busy: keys.root,
    };
  });
  const others = [...register.seals.keys()].filter((root) => root !== keys.root);
  const { changed } = await settleRoles(client, register.roles, others, [...others, keys.root], options);
  if (changed.length > 0) throw roleChanged(client, changed.join(', '));
  for (const [name, grants] of await rolesOf(client, options))
    if (grants.some((grant) => writesIn(grant, below))) throw roleChanged(client, `role ${name}`);
  const whole = { ...begun, whole: true };
  const isOn = await changeRegister(client, options, (read) => {
    if (read.seals.get(keys.root)?.id !== id) return undefined;
    return { ...read, seals: new Map([...read.seals, [keys.root, whole]]), busy: undefined };
  });
  if (isOn !== undefined) return whole;
  // Somebody took it off while it was being put on: what was changed after that is nobody's but ours to undo.
  const { seals } = await readRegister(client, options);
  if (!seals.has(keys.root)) {
    const left = [...seals.keys()];
    await settleRoles(client, register.roles, [...left, keys.root], left, options);
  }
  throw anotherSeal(context.store, seals.get(keys.root) ?? UNREADABLE);
}

export async function unseal(client: EtcdClient, options: UnsealOptions | undefined): Promise<Unsealed> {
  const { context, keys } = client;
  if ((await readRegister(client, options)).seals.get(keys.root) === undefined)
    return { seal: undefined, restored: 0, changed: [] };
  let found = UNREADABLE;
  const register = await changeRegister(client, options, (read) => {
    found = read.seals.get(keys.root) ?? found;
    if (options?.id !== undefined && found.id !== options.id) throw anotherSeal(context.store, found);
    const halfOff = { ...found, whole: false };
    return { ...read, seals: new Map([...read.seals, [keys.root, halfOff]]), busy: keys.root };
  });
  const others = [...register.seals.keys()].filter((root) => root !== keys.root);
  const settled = await settleRoles(client, register.roles, [...others, keys.root], others, options);
  const ranges = rangesOf(client, others);
  await changeRegister(client, options, (read) => {
    const seals = new Map(read.seals);
    seals.delete(keys.root);
    const roles = read.roles.filter(({ was }) => sealedGrants(was, ranges) !== was);
    return { seals, roles, busy: undefined };
  });
  return { seal: found, ...settled };
}

export async function sealed(
  client: EtcdClient,
  options: CallOptions | undefined,
): Promise<Seal | undefined> {
  try {
    return parseSeal((await get(client, SEAL, options)).bytes) ?? UNREADABLE;
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
    throw error;
  }
}

/**
 * Changes the register as often as somebody else is first; waits while the roles are another's. What was written; undefined: nothing,
 * since `change` gave nothing.
 */
async function changeRegister<R extends Register | undefined>(
  client: EtcdClient,
  options: CallOptions | undefined,
  change: (read: ReadRegister) => R,
): Promise<R> {
  const { clock } = client.context;
  const until = clock.now() + BUSY_MS;
  for (;;) {
    const read = await readRegister(client, options);
    if (read.busy === undefined || read.busy === client.keys.root) {
      const register = change(read);
      if (register === undefined || (await writeRegister(client, read, register, options))) return register;
    } else if (clock.now() > until) throw busy(client, read);
    else await sleep(clock, LOOK_MS, options?.signal ?? client.closed);
  }
}

/** Brings roles from what they grant under the seals of some roots to what they grant under those of others. */
async function settleRoles(
  client: EtcdClient,
  roles: readonly KnownRole[],
  from: readonly string[],
  to: readonly string[],
  options: CallOptions | undefined,
): Promise<Pick<Unsealed, 'restored' | 'changed'>> {
  const [before, after] = [rangesOf(client, from), rangesOf(client, to)];
  const now = await rolesOf(client, options);
  const changed: string[] = [];
  let restored = 0;
  for (const { name, was } of roles) {
    const grants = now.get(name);
    if (grants === undefined) {
      changed.push(`role ${name}, which is gone`);
      continue;
    }
    const target = merged(grants, sealedGrants(was, before), sealedGrants(was, after));
    for (const { key } of target.changed) changed.push(`role ${name}, at ${JSON.stringify(key.toString())}`);
    await change(client, name, stepsTo(grants, target.wanted), options);
    restored += 1;
  }
  return { restored, changed };
}

/** What every role grants, but the one that needs no grants. Unsupported where this login may not know, or nobody logs in. */
async function rolesOf(
  client: EtcdClient,
  options: CallOptions | undefined,
): Promise<ReadonlyMap<string, readonly Grant[]>> {
  try {
    const { roles } = await client.read('roleList', {}, '', options);
    if (!(await client.isLoggedIn())) throw cannot(client);
    const read = roles
      .filter((name) => name !== ROOT)
      .map(async (role) => [role, (await client.read('roleGet', { role }, '', options)).perm] as const);
    return new Map(await Promise.all(read));
  } catch (error) {
    if (isTopologyError(error, ErrorCode.Unauthorized)) throw cannot(client, error);
    throw error;
  }
}

/** Users that no role keeps out. */
async function administrators(client: EtcdClient, options: CallOptions | undefined): Promise<string[]> {
  const { users } = await client.read('userList', {}, '', options);
  const found = await Promise.all(
    users.map(async (name) => {
      const { roles } = await client.read('userGet', { name }, '', options);
      return roles.includes(ROOT) ? [`etcd user ${name}`] : [];
    }),
  );
  return found.flat();
}

async function change(
  client: EtcdClient,
  role: string,
  steps: readonly Step[],
  options: CallOptions | undefined,
): Promise<void> {
  for (const { type, grant } of steps)
    if (type === 'grant') await client.read('roleGrantPermission', { name: role, perm: grant }, '', options);
    else {
      const { key, range_end } = grant;
      const revoked = client.read('roleRevokePermission', { role, key, range_end }, '', options);
      await revoked.catch((error: unknown) => {
        // An earlier try whose answer was lost.
        if (!isTopologyError(error, ErrorCode.NoNode)) throw error;
      });
    }
}

function cannot({ context }: EtcdClient, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.Unsupported, 'this store, as it was opened, cannot be sealed', {
    path: '',
    store: context.store,
    hint: NO_USERS,
    cause,
  });
}

function roleChanged({ context }: EtcdClient, what: string): TopologyError {
  return new TopologyError(ErrorCode.BadVersion, `${what} was changed while the store was sealed`, {
    path: SEAL,
    store: context.store,
    hint: 'find out who changes roles, and try again when that is done',
  });
}
