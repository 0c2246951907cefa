import { randomUUID } from 'node:crypto';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { decode, encode, reencode } from '../../src/topo/codec.js';
import { messageType } from '../../src/topo/codec-schema.js';
import type { Connection } from '../../src/topo/connection.js';
import { KINDS, type KindRow } from '../../src/topo/kinds.js';
import { GLOBAL, Topology } from '../../src/topo/topology.js';
import { kindName } from '../../src/verify/rule-names.js';
import { verify } from '../../src/verify/verify.js';
import { FIXTURES, type FixtureRecord, fixtures } from '../support/fixtures.js';
import { plant, SETTINGS } from '../support/topologies.js';
import { expectedClass, NEEDED } from './expected.js';
import { fullRecord } from './full-record.js';
import { mutate } from './mutate.js';

/** A record of each kind: everywhere the same names, every field set. */
function generated(): FixtureRecord[] {
  const copied = KINDS.filter(({ copied: carried }) => carried !== false);
  return [
    ...copied
      .filter(({ kind }) => kind !== 'CellInfo')
      .map((row) => recordOf(row, row.pattern.replace(/\{(\w+)\}/g, '$1'))),
    recordOf({ ...rowOf('CellInfo'), pattern: '' }, 'cells/zone1/CellInfo'),
    { scope: GLOBAL, path: 'something/else', kind: null, json: null, value: Buffer.from('unknown') },
  ];
}

function recordOf({ scope, message }: KindRow, path: string): FixtureRecord {
  const json = message === null ? null : fullRecord(messageType(message));
  const value = message === null || json === null ? 'raw' : encode(message, json);
  return { scope: scope === 'cell' ? 'zone1' : GLOBAL, path, kind: message, json, value: Buffer.from(value) };
}

function rowOf(kind: string): KindRow {
  const row = KINDS.find((each) => each.kind === kind);
  if (row === undefined) throw new Error(`no kind ${kind}`);
  return row;
}

/** One record of each kind: that with the most in it. */
function largest(records: readonly FixtureRecord[]): FixtureRecord[] {
  const found = new Map<string, FixtureRecord>();
  for (const record of records) {
    const kind = kindOf(record);
    if (record.value.byteLength > (found.get(kind)?.value.byteLength ?? -1)) found.set(kind, record);
  }
  return [...found.values()];
}

function kindOf({ scope, path }: FixtureRecord): string {
  const segments = path.split('/');
  const row = KINDS.find(({ pattern, scope: where, copied }) => {
    const parts = pattern.split('/');
    const fits =
      parts.length === segments.length &&
      parts.every((part, i) => part.startsWith('{') || part === segments[i]);
    return copied !== false && fits && (where === 'cell') === (scope !== GLOBAL);
  });
  return row?.kind ?? 'Unknown';
}

const SOURCES: readonly (readonly [string, readonly FixtureRecord[] | undefined])[] = [
  ['generated', generated()],
  ...FIXTURES.map((name) => [name, fixtures(name)] as const),
];

for (const [name, records = []] of SOURCES) {
  describe.runIf(records.length > 0)(`a topology, ${name}`, () => {
    const id = randomUUID();
    const scopes = [...new Set(records.map(({ scope }) => scope))];
    const layout = (product: string) =>
      Object.fromEntries(scopes.map((scope) => [scope, `memory://${product}:${id}/vitess/${scope}`]));
    const stores = storesFor(SETTINGS, 'write');
    let source: Topology;
    let destination: Topology;
    beforeAll(async () => {
      await plant(records, layout('zookeeper'));
      await plant(records, layout('etcd'));
      [source, destination] = await Promise.all(
        ['zookeeper', 'etcd'].map((product) =>
          Topology.open({ global: parseAddress(layout(product)[GLOBAL] ?? ''), stores }),
        ) as [Promise<Topology>, Promise<Topology>],
      );
    });
    afterAll(() => Promise.all([source.close(), destination.close()]));

    const storeOf = async (scope: string): Promise<Connection> => {
      if (scope === GLOBAL) return destination.global;
      const cell = (await destination.cells()).find((each) => each.name === scope);
      if (cell === undefined) throw new Error(`no cell ${scope}`);
      return destination.cell(cell);
    };
    /** What is found while a record of the destination holds other bytes; undefined: none at all. */
    const foundWith = async (
      { scope, path }: Pick<FixtureRecord, 'scope' | 'path'>,
      bytes: Uint8Array | undefined,
    ) => {
      const store = await storeOf(scope);
      const was = await store.get(path).catch(() => undefined);
      if (bytes !== undefined) await store.update(path, bytes, null);
      else await store.delete(path, null);
      try {
        return await verify({ source, destination, concurrency: 4 });
      } finally {
        if (was !== undefined) await store.update(path, was.bytes, null);
        else await store.delete(path, null);
      }
    };
    const OTHERWISE = ['encoding', 'address'];

    test('is equal to its copy', async () => {
      const report = await verify({ source, destination, concurrency: 4 });
      expect(report).toMatchObject({ equal: true, differences: [], compared: records.length });
      expect(report.notes.every(({ type }) => type === 'address')).toBe(true);
    });

    const kinds = largest(records).map((record) => [kindOf(record), record] as const);
    describe.each(kinds)('%s', (kind, record) => {
      const only = { scope: record.scope, path: record.path, kind };
      const needed = NEEDED.has(kind) ? 'dangerous' : 'repairable';

      test('missing, and extra', async () => {
        // Without its CellInfo a cell is no part of the topology.
        if (kind === 'CellInfo') return;
        expect((await foundWith(record, undefined)).differences).toMatchObject([
          { ...only, type: 'missing', class: needed, rule: `${kindName(kind)}.missing` },
        ]);
        const path = extraPath(record.path, kind);
        if (path === undefined) return;
        expect((await foundWith({ ...record, path }, record.value)).differences).toMatchObject([
          { ...only, path, type: 'extra', class: needed, rule: `${kindName(kind)}.extra` },
        ]);
      });

      test('with other bytes', async () => {
        if (kind === 'CellInfo') return;
        const rule = record.kind === null ? 'contents' : 'undecodable';
        expect((await foundWith(record, Buffer.from([0xff]))).differences).toMatchObject([
          { ...only, type: 'different', class: needed, fields: [], rule: `${kindName(kind)}.${rule}` },
        ]);
      });

      if (record.kind === null) return;
      const message = record.kind;
      const stored = async () => (await (await storeOf(record.scope)).get(record.path)).bytes;

      test('with a field that no schema knows', async () => {
        const bytes = Buffer.concat([await stored(), Buffer.from([0xc8, 0x70, 7])]);
        expect((await foundWith(record, bytes)).differences).toMatchObject([
          {
            ...only,
            class: 'repairable',
            fields: [{ path: `${kindName(kind)}.#1801`, a: undefined, b: 'varint Bw==' }],
          },
        ]);
      });

      test('with its fields in another order', async () => {
        const bytes = fieldsReversed(await stored());
        const report = await foundWith(record, bytes);
        expect(report).toMatchObject({ equal: true, differences: [] });
        expect(report.notes.filter(({ type }) => OTHERWISE.includes(type)).length).toBeGreaterThan(0);
      });

      test('changed in one place', { timeout: 180_000 }, async () => {
        const before = await stored();
        const all = mutate(messageType(message), decode(message, before).json).filter(
          // These lead elsewhere: see compare.test.ts.
          ({ places }) => !places.some((place) => kind === 'CellInfo' && place.path !== 'region'),
        );
        for (const { what, changed, places } of all) {
          const bytes = reencode(message, before, () => changed);
          const report = await foundWith(record, bytes);
          const found = report.differences.flatMap((difference) => {
            expect(difference, what).toMatchObject({ ...only, type: 'different' });
            return difference.fields.map((field) => `${field.path}: ${field.class}`);
          });
          const wanted = places.map(
            ({ path, names }) => `${kindName(kind)}.${path}: ${classFor(`${kindName(kind)}.${names}`, what)}`,
          );
          expect(found.sort(), what).toEqual([...new Set(wanted)].sort());
          expect(report.equal, what).toBe(places.length === 0);
          const noted = report.notes.filter(({ type }) => type === 'encoding').map(({ path }) => path);
          const isEncoded = places.length === 0 && Buffer.compare(bytes, before) !== 0;
          expect(noted, what).toEqual(isEncoded ? [record.path] : []);
        }
      });
    });
  });
}

/** A tablet without a hostname is one that nobody can reach. */
function classFor(rule: string, what: string): string {
  return what === 'hostname removed' ? 'dangerous' : expectedClass(rule);
}

/** A place for another record of a kind; undefined: there is only one. */
function extraPath(path: string, kind: string): string | undefined {
  const parts = path.split('/');
  if (kind === 'Unknown' || kind === 'Metadata' || kind === 'ExternalVitessCluster') return `${path}-other`;
  if (parts.length < 3 || kind === 'KeyspaceRoutingRules') return undefined;
  return parts.with(-2, `${parts.at(-2)}-other`).join('/');
}

/** The fields of a record, those with the highest number first. */
function fieldsReversed(bytes: Uint8Array): Uint8Array {
  const reader = protobuf.Reader.create(bytes);
  const parts: { number: number; bytes: Uint8Array }[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    reader.skipType(tag & 7);
    parts.push({ number: tag >>> 3, bytes: bytes.subarray(start, reader.pos) });
  }
  return Buffer.concat(parts.toSorted((a, b) => b.number - a.number).map((part) => part.bytes));
}
