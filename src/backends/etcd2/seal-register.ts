import type { ITxnRequest } from 'etcd3';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { formatSeal, parseSeal, SEAL, type Seal, sealedBy } from '../../topo/seal.js';
import type { EtcdClient } from './client.js';
import { absent, atRevision } from './file.js';
import { type KeyRange, Keys } from './keys.js';
import type { Grant } from './seal-roles.js';

/**
 * Key of the register: one of the whole cluster, outside of every topology, since a role may reach into several of them, each with a seal
 * of its own.
 */
const REGISTER = Buffer.from('topo2topo/seals');

/** What a role granted before the first seal. */
export interface KnownRole {
  readonly name: string;
  readonly was: readonly Grant[];
}

/** All seals of a cluster, and what is needed to undo them. */
export interface Register {
  /** By root. */
  readonly seals: ReadonlyMap<string, Seal>;
  /** Roles that a seal changes. */
  readonly roles: readonly KnownRole[];
  /** Root whose seal is being put on or taken off: until that is done roles are nobody else's to change. */
  readonly busy: string | undefined;
}

/** A register in the state in which it was read. */
export interface ReadRegister extends Register {
  /** Undefined: there is none. */
  readonly revision: string | undefined;
}

export async function readRegister(
  client: EtcdClient,
  options: CallOptions | undefined,
): Promise<ReadRegister> {
  const { kvs } = await client.read('range', { key: REGISTER }, '', options);
  const [found] = kvs;
  if (found === undefined) return { seals: new Map(), roles: [], busy: undefined, revision: undefined };
  const fields: unknown = parse(found.value);
  if (typeof fields !== 'object' || fields === null) throw unreadable(client);
  const { seals, roles, busy }: { seals?: unknown; roles?: unknown; busy?: unknown } = fields;
  if (!Array.isArray(seals) || !Array.isArray(roles)) throw unreadable(client);
  return {
    seals: new Map(
      seals.map(([root, seal]) => [
        String(root),
        parseSeal(Buffer.from(JSON.stringify(seal))) ?? fail(client),
      ]),
    ),
    roles: roles.map(([name, was]) => ({ name: String(name), was: grantsIn(was) })),
    busy: typeof busy === 'string' ? busy : undefined,
    revision: found.mod_revision,
  };
}

/**
 * Writes the register in place of the state `was`, and the record that tells everybody of the seal of this root, in one transaction.
 * False when somebody else was first.
 */
export async function writeRegister(
  client: EtcdClient,
  was: ReadRegister,
  register: Register,
  options: CallOptions | undefined,
): Promise<boolean> {
  const { root } = client.keys;
  const seal = register.seals.get(root);
  const key = client.keys.key(SEAL);
  const told =
    seal === undefined
      ? { request_delete_range: { key } }
      : { request_put: { key, value: Buffer.from(formatSeal(seal)) } };
  const request: ITxnRequest = {
    compare: [was.revision === undefined ? absent(REGISTER) : atRevision(REGISTER, was.revision)],
    success: [
      register.seals.size === 0
        ? { request_delete_range: { key: REGISTER } }
        : { request_put: { key: REGISTER, value: formatted(register) } },
      told,
    ],
  };
  return (await client.write('txn', request, SEAL, options)).succeeded;
}

/** Keys of the roots that are sealed. */
export function rangesOf(client: EtcdClient, roots: Iterable<string>): KeyRange[] {
  return [...roots].map((root) => new Keys(client.context.store, root).below(''));
}

/** NodeExists: another seal of the cluster is not done with the roles. */
export function busy(client: EtcdClient, { busy: root = '', seals }: Register): TopologyError {
  const seal = seals.get(root);
  const by = seal === undefined ? '' : `, by ${sealedBy(seal)}`;
  return new TopologyError(
    ErrorCode.NodeExists,
    `the seal of ${root} in the same etcd is being put on or taken off${by}`,
    {
      path: SEAL,
      store: client.context.store,
      hint: `wait until that is done; if whoever did it is gone, take it off first: topo2topo unseal with ${root}`,
    },
  );
}

function formatted({ seals, roles, busy: root }: Register): Buffer {
  const fields = {
    undo: 'topo2topo unseal ADDRESS',
    busy: root,
    seals: [...seals],
    roles: roles.map(({ name, was }) => [
      name,
      was.map(({ permType, key, range_end }) => [
        permType,
        key.toString('base64'),
        range_end.toString('base64'),
      ]),
    ]),
  };
  return Buffer.from(`${JSON.stringify(fields, null, 2)}\n`);
}

function grantsIn(list: unknown): Grant[] {
  if (!Array.isArray(list)) return [];
  return list.map(([kind, key, end]) => ({
    permType: kind === 'Read' || kind === 'Write' ? kind : 'Readwrite',
    key: Buffer.from(String(key), 'base64'),
    range_end: Buffer.from(String(end), 'base64'),
  }));
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function fail(client: EtcdClient): never {
  throw unreadable(client);
}

function unreadable({ context }: EtcdClient): TopologyError {
  return new TopologyError(ErrorCode.Corrupt, `the key ${REGISTER} cannot be read`, {
    path: SEAL,
    store: context.store,
    hint: 'it was written by something else: compare the roles with what they are to be (etcdctl role get), then delete it',
  });
}
