import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

const SCOPES = ['global', 'zone1', 'zone2'];
let source: (scope: string) => string;

beforeEach(async () => {
  const id = randomUUID();
  source = (scope) => `memory://zookeeper:${id}/vitess/${scope}`;
  for (const scope of SCOPES)
    await withStore(source(scope), async (store) => {
      for (const record of sampleTopology(`zookeeper:${id}`).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });
});

const write = (scope: string) =>
  withStore(source(scope), (store) => store.update('a/b', new Uint8Array(), null)).then(
    () => 'written',
    (error: { code: string }) => error.code,
  );
const writes = () => Promise.all(SCOPES.map(write));

test('all stores of a topology are sealed until they are unsealed', async () => {
  const sealed = await cli(['seal', source('global')]);
  expect(sealed).toMatchObject({ code: 0, err: '' });
  expect(sealed.out.split('\n').slice(0, 3)).toEqual(
    SCOPES.map((scope) => `sealed ${scope} ${source(scope)}`),
  );
  expect(sealed.out).toContain('topo2topo unseal');
  expect(await writes()).toEqual(SCOPES.map(() => 'Unauthorized'));
  const unsealed = await cli(['unseal', source('global')]);
  expect(unsealed).toMatchObject({ code: 0, err: '' });
  expect(unsealed.out.match(/^unsealed /gm)).toHaveLength(3);
  expect(await writes()).toEqual(SCOPES.map(() => 'written'));
  expect((await cli(['unseal', source('global')])).out.match(/was not sealed/g)).toHaveLength(3);
});

test('where one store is sealed already none is sealed, and whose seal it is is told', async () => {
  await withStore(source('zone2'), (store) => store.seal({ id: 'x', scope: 'cell', host: 'host-7' }));
  expect(await cli(['seal', source('global')])).toMatchObject({
    code: 3,
    err: expect.stringMatching(/sealed already, by host-7.*\[NodeExists\]\n.*topo2topo unseal/),
  });
  expect(await writes()).toEqual(['written', 'written', 'Unauthorized']);
  await cli(['unseal', source('global')]);
});

test('what is not sealed, or cannot be, is no failure', async () => {
  expect(await cliJson(['unseal', source('global')])).toMatchObject({
    command: 'unseal',
    stores: SCOPES.map((scope) => ({ scope, restored: 0, changed: [] })),
  });
});

test('doctor stops before a store that is sealed, and says what takes the seal off', async () => {
  await cli(['seal', source('global')]);
  const { code, out } = await cli(['doctor', '--from', source('global')]);
  expect(code).toBe(4);
  expect(out.match(/^stop sealed source /gm)).toHaveLength(3);
  expect(out).toContain('topo2topo unseal');
  await cli(['unseal', source('global')]);
});

test('a freeze that is to be sealed and cannot be fails, and gives its locks back', async () => {
  await withStore(source('zone2'), (store) => store.seal({ id: 'x', scope: 'cell' }));
  const to = `memory://etcd:${randomUUID()}/vitess/global`;
  const args = ['copy', source('global'), to, '--to-cell-root', '/vitess/{cell}', '--freeze'];
  expect(await cli([...args, '--freeze-seal', 'always'])).toMatchObject({
    code: 3,
    err: expect.stringMatching(/sealed already/),
  });
  expect((await cli(['locks', 'list', source('global')])).out).not.toContain('topo2topo freeze');
  expect(await cli([...args, '--freeze-seal', 'never'])).toMatchObject({ code: 0 });
});
