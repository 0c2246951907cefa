import { randomUUID } from 'node:crypto';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { storesFor } from '../../src/cli/stores.js';
import { kindOf } from '../../src/editing/target.js';
import { applyGraph, keyspacesOf, planKeyspaceGraph, planVSchemaGraph } from '../../src/graph/rebuild.js';
import { parseTarget } from '../../src/graph/target.js';
import type { LintFinding } from '../../src/lint/finding.js';
import { type LintedStore, lint } from '../../src/lint/lint.js';
import type { FindingId } from '../../src/lint/table.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { Topology } from '../../src/topo/topology.js';
import { SETTINGS, withStore } from '../support/topologies.js';

/** A record to be planted, as `scope:path`; null: to be deleted. */
export type Change = readonly [place: string, contents: JsonObject | Uint8Array | null];

/** A correct topology with one defect, and what must be found. */
export interface Case {
  readonly id: FindingId;
  /** Tells it from others of its id. */
  readonly title?: string;
  readonly changes: readonly Change[] | ((server: string) => readonly Change[]);
  /** Whether the serving graph is made anew after the changes. Default: yes. */
  readonly isRebuilt?: false;
  /** Changed after that. */
  readonly afterwards?: readonly Change[];
  readonly target?: string;
  /** `scope:path` of each finding. Default: that of the first change. */
  readonly at?: readonly string[];
  readonly severity?: LintFinding['severity'];
  /** What the finding says. */
  readonly says?: RegExp;
}

const PART = { allowPartial: true, cells: [], signal: new AbortController().signal };
const LEFT_OUT = /^(workflows|custom)\//;

/** The records of a correct topology, but for its serving graph. */
export function correctRecords(server: string) {
  return sampleTopology(server).filter(({ path }) => !LEFT_OUT.test(path));
}

/** A record of the correct topology, as JSON, with other fields; undefined takes one away. */
export function edited(
  place: string,
  fields: Readonly<Record<string, JsonObject[string] | undefined>>,
): Change {
  const [scope = '', path = ''] = split(place);
  const record = correctRecords('').find((each) => each.scope === scope && each.path === path);
  if (record === undefined) throw new Error(`no ${place}`);
  const { json } = decode(messageOf(place), record.bytes);
  const merged = Object.entries({ ...json, ...fields }).filter(([, value]) => value !== undefined);
  return [place, Object.fromEntries(merged) as JsonObject];
}

/** A Tablet that is as it should be. */
export function tablet(place: string, fields: JsonObject): Change {
  const [, cell = '', uid = ''] = /tablets\/(.+)-(\d+)\/Tablet$/.exec(place) ?? [];
  const usual = { alias: { cell, uid: Number(uid) }, hostname: 'h', port_map: { vt: 1 }, type: 'REPLICA' };
  return [place, { ...usual, ...fields }];
}

/** A keyspace that is as it should be, and needs no tablets: a snapshot. */
export function keyspace(name: string, fields: JsonObject = {}): Change[] {
  return [
    [
      `global:keyspaces/${name}/Keyspace`,
      { keyspace_type: 'SNAPSHOT', base_keyspace: 'commerce', ...fields },
    ],
    [`global:keyspaces/${name}/VSchema`, {}],
    [`global:keyspaces/${name}/shards/0/Shard`, { is_primary_serving: true }],
  ];
}

/** A topology in memory. */
export class Planted {
  readonly server = `zookeeper:${randomUUID()}`;
  readonly topology: Topology;
  readonly #target: string;

  private constructor(server: string, topology: Topology, target: string) {
    this.server = server;
    this.topology = topology;
    this.#target = target;
  }

  /** A correct topology, its serving graph made for a version of Vitess. */
  static async correct(target = '24'): Promise<Planted> {
    const server = `zookeeper:${randomUUID()}`;
    const global = `memory://${server}/vitess/global`;
    for (const scope of ['global', 'zone1', 'zone2'])
      await withStore(`memory://${server}/vitess/${scope}`, async (store) => {
        for (const record of correctRecords(server).filter((each) => each.scope === scope))
          await store.create(record.path, record.bytes);
      });
    const stores = storesFor(SETTINGS, 'write');
    const planted = new Planted(
      server,
      await Topology.open({ global: parseAddress(global), stores }),
      target,
    );
    await planted.rebuild();
    return planted;
  }

  get address(): string {
    return `memory://${this.server}/vitess/global`;
  }

  close(): Promise<void> {
    return this.topology.close();
  }

  async change(changes: readonly Change[]): Promise<void> {
    for (const [place, contents] of changes) {
      const [scope = '', path = ''] = split(place);
      await withStore(`memory://${this.server}/vitess/${scope}`, (store) => {
        if (contents === null) return store.delete(path, null).then(() => undefined);
        const bytes = contents instanceof Uint8Array ? contents : encode(messageOf(place), contents);
        return store.update(path, bytes, null).then(() => undefined);
      });
    }
  }

  /** Makes all of the serving graph that can be made. */
  async rebuild(): Promise<void> {
    const part = { ...PART, target: parseTarget(this.#target) };
    for (const name of await keyspacesOf(this.topology, part)) {
      const planned = await planKeyspaceGraph(this.topology, name, part).catch(refusal);
      await applyGraph(this.topology, planned, part).catch(refusal);
    }
    const planned = await planVSchemaGraph(this.topology, part).catch(refusal);
    await applyGraph(this.topology, planned, part).catch(refusal);
  }

  async lint(cells: readonly string[] = []): Promise<{ found: LintFinding[]; stores: LintedStore[] }> {
    const target = parseTarget(this.#target);
    const { topology } = this;
    const { signal } = PART;
    const all = lint({ topology, cells, target, lockAgeMs: 3_600_000, clock: systemClock, signal });
    const found: LintFinding[] = [];
    for (;;) {
      const next = await all.next();
      if (next.done === true) return { found, stores: next.value };
      found.push(next.value);
    }
  }
}

function refusal(error: unknown): never[] {
  if (isTopologyError(error)) return [];
  throw error;
}

function split(place: string): string[] {
  const colon = place.indexOf(':');
  return [place.slice(0, colon), place.slice(colon + 1)];
}

function messageOf(place: string): string {
  const [scope = '', path = ''] = split(place);
  return kindOf(scope, path).row.message ?? '';
}
