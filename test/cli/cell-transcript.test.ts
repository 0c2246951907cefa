import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { encode } from '../../src/topo/codec.js';
import { type CliResult, cli } from '../support/cli.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { splitOperator } from '../support/split-operator.js';
import { contents, plant, withStore } from '../support/topologies.js';

const LIMIT_MS = 300_000;
/** What every command about cells and the serving graph prints, whatever the store is; `vitest run -u` writes it anew. */
const TRANSCRIPT = join(import.meta.dirname, 'cell-transcript.txt');

for (const product of PRODUCTS) {
  describe.runIf(product.available)(
    `what commands about cells and the graph print on ${product.name}`,
    () => {
      let server: Server;
      let folder: string;
      const transcript: string[] = [];
      beforeAll(async () => {
        [server, folder] = await Promise.all([product.start(), mkdtemp(join(tmpdir(), 'topo2topo-'))]);
        const records = sampleTopology(server.servers).map((record) => ({
          ...record,
          value: Buffer.from(record.bytes),
          kind: null,
          json: null,
        }));
        await plant(records, { global: at('global'), zone1: at('zone1'), zone2: at('zone2') });
      }, LIMIT_MS);
      afterAll(async () => {
        await server?.stop();
        await rm(folder, { recursive: true, force: true });
      });

      const at = (scope: string) => addressOn(product, server, scope);

      /** What is alike on all stores: their names, places and the bytes that hold these are not. */
      const plain = (text: string) =>
        text
          .replaceAll(folder, 'FOLDER')
          .replaceAll(server.servers, 'SERVERS')
          .replaceAll(server.servers.replaceAll('http://', ''), 'SERVERS')
          .replaceAll(`${product.implementation}://`, 'STORE://')
          .replaceAll(/(^|[\s,=(":→])\/?vitess\//gm, '$1/vitess/')
          .replaceAll(/"(before|after|record)":( ?)"[\w+/=]*"/g, '"$1":$2"BYTES"')
          .replaceAll(/(\S) {2,}/g, '$1  ');

      async function say(...args: string[]): Promise<CliResult> {
        const result = await cli([...args, '--timeout', '20']);
        const end = result.code === 0 ? [] : [`(exit code ${result.code})\n`];
        transcript.push(
          `$ topo2topo ${plain(args.join(' '))}\n`,
          plain(result.out + result.err),
          ...end,
          '\n',
        );
        return result;
      }
      const cell = (action: string, ...more: string[]) =>
        say('cell', ...action.split(' '), at('global'), ...more);
      const graph = (action: string, ...more: string[]) => say('graph', action, at('global'), ...more);
      const place = (root: string) => ['--server-address', server.servers, '--root', product.root(root)];

      async function undo({ out }: CliResult): Promise<void> {
        const file = join(folder, 'undo.json');
        await writeFile(file, out.split('\n').find((line) => line.startsWith('{"changes"')) ?? '');
        const [, words = ''] = /and run: topo2topo (.*)/.exec(out) ?? [];
        await say(...words.replace('FILE', file).split(' '));
      }

      test('is the same as on every other store', { timeout: LIMIT_MS }, async () => {
        await cell('list');
        await cell('show', 'zone2');
        await cell('show', 'zone2', '--output', 'json');
        await cell('show', 'zone9');
        await cell('add', 'zone3', ...place('zone3'), '--dry-run');
        await cell('add', 'zone3', ...place('zone3'));
        await cell('add', 'zone3', ...place('zone3'));
        await cell('add', 'zone4', ...place('zone3/below'));
        await cell('update', 'zone3', '--root', product.root('other'));
        await cell('update', 'zone1', '--root', product.root('other'));
        await cell('remove', 'zone1', '--yes');
        await cell('remove', 'zone3');
        await undo(await cell('remove', 'zone3', '--yes', '--output', 'text'));
        await cell('remove', 'zone3', '--yes');

        await cell('alias list');
        await cell('alias add', 'east', '--cells', 'zone1');
        await undo(await cell('alias update', 'region1', '--cells', 'zone1'));
        await cell('alias remove', 'region1', '--yes');
        await cell('alias add', 'region1', '--cells', 'zone1,zone2');
        await cell('alias list', '--output', 'json');

        await graph('check');
        await graph('rebuild', '--dry-run');
        await graph('rebuild', 'commerce', '--cells', 'zone1');
        await graph('rebuild');
        await graph('check', '--target-version', '14');
        await graph('check', 'nothing');
        await withStore(at('global'), (store) =>
          store.update('keyspaces/customer/shards/-80/Shard', encode('topodata.Shard', {}), null),
        );
        await graph('check', 'customer');
        await graph('rebuild', 'customer', '--allow-partial');
        await withStore(at('global'), (store) => store.delete('keyspaces/customer/shards/-80/Shard', null));

        await cell('remove-shard', 'commerce/0', 'zone1', '--recursive', '--yes');
        await cell('remove-shard', 'commerce/0', 'zone2', '--yes');
        await cell('remove-shard', 'commerce/0', 'zone2', '--recursive');
        await undo(await cell('remove-shard', 'commerce/0', 'zone2', '--recursive', '--yes'));
        await cell('remove-keyspace', 'customer', 'zone1', '--recursive', '--yes');
        await cell('remove-keyspace', 'orders', 'zone2', '--recursive', '--yes');
        await cell('remove-keyspace', 'nothing', 'zone2', '--yes');
      });

      test('so are the steps of a split', { timeout: LIMIT_MS }, async () => {
        const operator = splitOperator(at, 'zone1', 'zone5');
        await withStore(at('global'), (store) => store.delete('keyspaces/customer/shards/80-/Shard', null));
        const split = (...more: string[]) => cell('split', 'zone1', 'zone5', '--remove-old', ...more);
        await cell('split', 'zone1', 'zone5', ...place('{cell}'), '--output', 'json');
        await split(...place('{cell}'));
        await split(...place('{cell}'), '--yes');
        await split('--yes');
        await split('--alias', 'join', '--yes');
        await split('--yes');
        await split('--yes');
        await operator.start();
        await split('--yes');
        await operator.reparent();
        await split('--yes');
        await split('--vtgates-moved', '--yes');
        await operator.stop();
        await split('--vtgates-moved', '--yes');
        await split('--yes');
        const removed = await split('--yes');
        const [, words = ''] = /no record any more: add (.*)/.exec(removed.out) ?? [];
        await split();
        await split(...words.split(' '), '--yes');
        await split(...words.split(' '));
        expect((await contents(at('zone1'))).size).toBe(0);
        expect([...(await contents(at('global'))).keys()]).not.toContain('cells/zone1/CellInfo');
      });

      test('all of it', async () => {
        await expect(transcript.join('')).toMatchFileSnapshot(TRANSCRIPT);
      });
    },
  );
}
