import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/topo/codec.js';
import { plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import type { Sample } from '../legacy/samples/sample.js';
import { available, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';

/** Of the shards of `user` nothing tells whether they serve; of `main` its record does. */
const SILENT: Sample = {
  '/zk/global/vt/keyspaces/main': {},
  '/zk/global/vt/keyspaces/main/shards/0': { served_types: [{ tablet_type: 1 }], cells: ['nyc'] },
  '/zk/global/vt/keyspaces/user': {},
  '/zk/global/vt/keyspaces/user/shards/-80': { key_range: { end: 'gA==' }, cells: ['nyc'] },
  '/zk/global/vt/keyspaces/user/shards/80-': { key_range: { start: 'gA==' }, cells: ['nyc'] },
  '/zk/nyc/vt/ns/main': { partitions: [{ served_type: 1, shard_references: [{ name: '0' }] }] },
};
const [LOW, HIGH] = ['-80', '80-'].map(
  (shard) => `does shard user/${shard} serve? nothing tells; yes or no: `,
);

describe.runIf(available.zookeeper('3.8'))('shards of which nothing tells whether they serve', () => {
  let server: Awaited<ReturnType<typeof startZooKeeper>>;
  let folder: string;
  let from: string;
  beforeAll(async () => {
    server = await startZooKeeper({ version: '3.8' });
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    const planted = await plantZookeeper(SILENT, server.servers);
    await planted.leave();
    from = `zookeeper:${await writeClientConfig(folder, planted)}`;
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a command towards a new place, at a terminal where these are the answers; gives what was asked, too. */
  async function asked(command: string, answers: readonly string[], ...flags: string[]) {
    const to = `memory://etcd:${randomUUID()}/new/global`;
    const questions: string[] = [];
    const answer = (question: string) => {
      questions.push(question);
      return answers[questions.length - 1] ?? '';
    };
    const line = [command, from, to, '--to-cell-root', '/new/{cell}', ...flags];
    return { ...(await cli(line, {}, { answer })), questions, to };
  }
  const serving = async (to: string) =>
    [...(await contents(to))].flatMap(([path, bytes]) =>
      path.endsWith('/Shard')
        ? [
            [
              path.split('/').slice(1, 4).join('/'),
              decode('topodata.Shard', bytes).json['is_primary_serving'],
            ],
          ]
        : [],
    );

  test('are asked for, each once, and no other', async () => {
    const { code, err, questions, to } = await asked('copy', [' Yes ', 'n']);
    expect({ code, questions }).toEqual({ code: 0, questions: [LOW, HIGH] });
    expect(err).toBe('the same without questions: --serving user/-80=yes --serving user/80-=no\n');
    expect(await serving(to)).toEqual([
      ['main/shards/0', true],
      ['user/shards/-80', true],
      ['user/shards/80-', undefined],
    ]);
    const again = await asked('copy', [], '--serving', 'user/-80=yes', '--serving', 'user/80-=no');
    expect(again).toMatchObject({ code: 0, err: '', questions: [] });
    expect(await serving(again.to)).toEqual(await serving(to));
  });

  test('are asked for by a plan, too, but for those that flags name', async () => {
    const { code, out, questions } = await asked('plan', ['y'], '--serving', 'user/-80=no');
    expect({ code, questions }).toEqual({ code: 0, questions: [HIGH] });
    expect(out).toMatch(/user\/shards\/-80\/Shard: does not serve.*\n.*user\/shards\/80-\/Shard: serves/);
  });

  test('stop the copy where the answer is neither yes nor no', async () => {
    for (const answers of [
      ['', ''],
      ['yes', 'perhaps'],
    ]) {
      const { code, err, to } = await asked('copy', answers);
      expect(code).toBe(4);
      expect(err).toMatch(
        /nothing tells whether shards serve.*user\/shards\/80-\/Shard.*\n.*--serving KEYSPACE/,
      );
      expect((await contents(to)).size).toBe(0);
    }
  });

  test('are not asked for where programs read, or where the version does not need it', async () => {
    expect(await asked('copy', ['yes', 'yes'], '--output', 'json')).toMatchObject({ code: 4, questions: [] });
    const old = await asked('copy', ['yes', 'yes'], '--target-version', '11');
    expect(old).toMatchObject({ code: 0, questions: [] });
    expect((await serving(old.to)).map(([, flag]) => flag)).toEqual([undefined, undefined, undefined]);
  });
});
