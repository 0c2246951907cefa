import type { Change } from '../topo/changes.js';
import { encode, reencode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { checkKeyspaceName } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { exists, findGlobal, globalChange, keyspaceOf, keyspacePath, vschemaPath } from './records.js';
import { withGraph } from './serving.js';

/** A keyspace to be made. */
export interface KeyspaceSpec {
  readonly name: string;
  /** Empty: `none`, in a store whose records have it. */
  readonly durabilityPolicy: string;
  /** Empty: `_vt`, in a store whose records have it. */
  readonly sidecarDbName: string;
  /** A restored backup, read beside the keyspace it was taken of. Undefined: a normal keyspace. */
  readonly snapshot?: { readonly baseKeyspace: string; readonly timeMs: number } | undefined;
}

/** Options of {@link planCreateKeyspace}. */
export interface KeyspaceOptions extends CallOptions {
  /** Go on when there is such a keyspace already, and leave its record alone. */
  readonly force: boolean;
  /** Make no VSchema. A snapshot has one all the same. */
  readonly allowEmptyVSchema: boolean;
}

/**
 * What CreateKeyspace writes: Keyspace; an empty VSchema where there is none, or for a snapshot its base keyspace's, which is
 * never routed to without its name; and SrvVSchema of every cell. InvalidPath for an illegal name; NodeExists, unless forced;
 * NoNode for an unknown base keyspace.
 */
export async function planCreateKeyspace(
  topology: Topology,
  spec: KeyspaceSpec,
  options: KeyspaceOptions,
): Promise<Change[]> {
  const { name, snapshot } = spec;
  checkKeyspaceName(name);
  const path = keyspacePath(name);
  const existing = await findGlobal(topology, path, KEYSPACE, options);
  if (existing !== undefined && !options.force)
    throw exists(
      topology.global.store,
      path,
      `there is a keyspace ${name} already`,
      'with -force it is left alone and its VSchema made when it is missing',
    );
  if (snapshot !== undefined) {
    if (snapshot.baseKeyspace === name)
      throw new TopologyError(ErrorCode.Usage, `keyspace ${name} cannot be a snapshot of itself`);
    await keyspaceOf(topology, snapshot.baseKeyspace, options);
  }
  const changes =
    existing === undefined ? [globalChange(path, undefined, keyspaceRecord(spec, topology.global))] : [];
  const vschema =
    snapshot === undefined
      ? options.allowEmptyVSchema
        ? []
        : await planMissingVSchema(topology, name, options)
      : await planSnapshotVSchema(topology, name, snapshot.baseKeyspace, options);
  return withGraph(topology, [...changes, ...vschema], { skip: false, cells: [] }, options);
}

/**
 * What is written for a keyspace that something in it is made for: an empty Keyspace where there is none, and with `vschema` an
 * empty VSchema. InvalidPath for an illegal name.
 */
export async function planMissingKeyspace(
  topology: Topology,
  name: string,
  { vschema, ...options }: CallOptions & { readonly vschema: boolean },
): Promise<Change[]> {
  checkKeyspaceName(name);
  const path = keyspacePath(name);
  const existing = await findGlobal(topology, path, KEYSPACE, options);
  const changes = existing === undefined ? [globalChange(path, undefined, new Uint8Array())] : [];
  return vschema ? [...changes, ...(await planMissingVSchema(topology, name, options))] : changes;
}

const KEYSPACE = 'topodata.Keyspace';
const VSCHEMA = 'vschema.Keyspace';
const USUAL = { policy: 'none', sidecar: '_vt' };

function keyspaceRecord(
  { durabilityPolicy, sidecarDbName, snapshot }: KeyspaceSpec,
  { capabilities }: Connection,
): Uint8Array {
  const of: JsonObject =
    snapshot === undefined
      ? {}
      : {
          keyspace_type: 'SNAPSHOT',
          base_keyspace: snapshot.baseKeyspace,
          snapshot_time: timeJson(snapshot.timeMs),
        };
  // Vitess of the time of the retired formats knew neither, and what is empty is not written.
  const usual = capabilities.form === undefined ? USUAL : { policy: '', sidecar: '' };
  return encode(KEYSPACE, {
    ...of,
    durability_policy: durabilityPolicy || usual.policy,
    sidecar_db_name: sidecarDbName || usual.sidecar,
  });
}

/** A vttime.Time, of milliseconds since the epoch. */
export function timeJson(ms: number): JsonObject {
  const seconds = Math.floor(ms / 1000);
  return { seconds: String(seconds), nanoseconds: Math.round((ms - seconds * 1000) * 1_000_000) };
}

async function planMissingVSchema(
  topology: Topology,
  keyspace: string,
  options: CallOptions,
): Promise<Change[]> {
  const path = vschemaPath(keyspace);
  const existing = await findGlobal(topology, path, VSCHEMA, options);
  return existing === undefined ? [globalChange(path, undefined, new Uint8Array())] : [];
}

async function planSnapshotVSchema(
  topology: Topology,
  keyspace: string,
  base: string,
  options: CallOptions,
): Promise<Change[]> {
  const path = vschemaPath(keyspace);
  const [existing, of] = await Promise.all(
    [path, vschemaPath(base)].map((each) => findGlobal(topology, each, VSCHEMA, options)),
  );
  const after = reencode(VSCHEMA, of?.bytes ?? new Uint8Array(), (json) => ({
    ...json,
    require_explicit_routing: true,
  }));
  return [globalChange(path, existing, after)];
}
