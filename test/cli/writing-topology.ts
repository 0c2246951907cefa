import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { contents } from '../support/topologies.js';
import { plantSample } from './sample.js';

/** A folder for a test's files, and editors that are shell scripts. */
export interface Bench {
  readonly folder: string;
  /** Writes a file, and answers with its name. */
  file(contents: string | Uint8Array): Promise<string>;
  /** An editor: `script` finds the text's file in `$1`. Answers with the environment that names it. */
  editor(script: string): Promise<Record<string, string>>;
  /** Removes everything. */
  clear(): Promise<void>;
}

export async function bench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'topo2topo-bench-'));
  const file = async (contents: string | Uint8Array) => {
    const name = join(folder, randomUUID());
    await writeFile(name, contents);
    return name;
  };
  return {
    folder,
    file,
    async editor(script) {
      const name = await file(`#!/bin/sh\nset -e\n${script}\n`);
      await chmod(name, 0o700);
      return { EDITOR: name };
    },
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A sample topology in memory, anew for each test of a file, and a bench. */
export interface Writing {
  /** Address of the global store. */
  readonly from: string;
  readonly server: string;
  readonly work: Bench;
  /** Address of the store of a scope. */
  at(scope: string): string;
  /** Everything in every store. */
  everything(): Promise<[string, Buffer][][]>;
  /** The bytes of a record; empty when there is none. */
  stored(path: string, scope?: string): Promise<Buffer>;
}

/** Registers a {@link Writing} with the test file that calls it. */
export function writing(): Writing {
  let work: Bench;
  let sample: Awaited<ReturnType<typeof plantSample>>;
  beforeAll(async () => {
    work = await bench();
  });
  afterAll(() => work.clear());
  beforeEach(async () => {
    sample = await plantSample();
  });
  const at = (scope: string) => `memory://${sample.server}/vitess/${scope}`;
  return {
    get from() {
      return sample.from;
    },
    get server() {
      return sample.server;
    },
    get work() {
      return work;
    },
    at,
    everything: async () =>
      (await Promise.all(['global', 'zone1', 'zone2'].map((scope) => contents(at(scope))))).map((each) => [
        ...each,
      ]),
    stored: async (path, scope = 'global') => (await contents(at(scope))).get(path) ?? Buffer.of(),
  };
}

/** Reads, and removes, the text that a failed edit left behind, as its message names it. */
export async function keptText(err: string): Promise<string> {
  const name = /is kept in (\S+)$/m.exec(err)?.[1];
  if (name === undefined) throw new Error(`no text is kept: ${err}`);
  const text = await readFile(name, 'utf8');
  await rm(join(name, '..'), { recursive: true });
  return text;
}

/** A small cell and the keyspace `commerce` with one tablet, for stores of any product: what is where. */
export function smallTopology(
  server: string,
  rootOfCell: string,
): Record<'global' | 'zone1', [string, Uint8Array][]> {
  const record = (path: string, message: string, json: JsonObject): [string, Uint8Array] => [
    path,
    encode(message, json),
  ];
  const alias = { cell: 'zone1', uid: 100 };
  return {
    global: [
      record('cells/zone1/CellInfo', 'topodata.CellInfo', { server_address: server, root: rootOfCell }),
      record('keyspaces/commerce/Keyspace', 'topodata.Keyspace', { durability_policy: 'none' }),
      record('keyspaces/commerce/shards/0/Shard', 'topodata.Shard', {
        primary_alias: alias,
        is_primary_serving: true,
      }),
      ['metadata/owner', Buffer.from('payments')],
    ],
    zone1: [
      record('tablets/zone1-0000000100/Tablet', 'topodata.Tablet', {
        alias,
        hostname: 'h100',
        keyspace: 'commerce',
        shard: '0',
        type: 'PRIMARY',
      }),
    ],
  };
}
