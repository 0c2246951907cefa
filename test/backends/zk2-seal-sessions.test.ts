import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backend } from '../../src/backends/zk2/index.js';
import { parseAddress } from '../../src/topo/address.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { FaultProxy } from '../servers/fault-proxy.js';
import { available, startZooKeeper } from '../servers/index.js';
import { SETTINGS } from '../support/topologies.js';

const RECORDS = 200;

describe.skipIf(!available.zookeeper('3.8'))('a seal that is put on over several sessions', () => {
  let server: Awaited<ReturnType<typeof startZooKeeper>>;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startZooKeeper({ version: '3.8' });
    proxy = await FaultProxy.to(server.servers);
  }, 120_000);
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  });

  /** A connection whose first session goes to the server, and all others by way of the proxy. */
  const prepared = async (root: string) => {
    let asked = 0;
    // The ranks of both servers, for each session that is opened.
    const random = () => (asked++ < 2 ? asked / 10 : (asked % 2) / 10);
    const sealer = await backend.connect(parseAddress(`zk2://${server.servers},${proxy.address}${root}`), {
      ...SETTINGS,
      random,
    });
    for (let n = 0; n < RECORDS; n++) await sealer.create(`metadata/k${n}`, Buffer.from('0'));
    const before = await acls(root);
    await sealer.prepareSeal('global');
    return { sealer, before };
  };

  const acls = async (root: string) => {
    const client = await connectOwnClient({ servers: [server.servers] });
    const { children } = await client.getChildren(`${root}/metadata`);
    const paths = [root, `${root}/metadata`, ...children.map((name) => `${root}/metadata/${name}`)];
    const found = await Promise.all(
      paths.map(async (path) => `${path} ${JSON.stringify((await client.getAcl(path)).acl)}`),
    );
    await client.close();
    return found.sort();
  };

  test('is taken off whole after it was given up while most of it was under way', async () => {
    const root = '/vitess/given-up';
    const { sealer, before } = await prepared(root);
    proxy.shape('requests', { latencyMs: 300 });
    const asked = new AbortController();
    const sealing = sealer.seal({ id: 'a', scope: 'global' }, { signal: asked.signal });
    // Once records are sealed over the session that is fast those of the others are on their way.
    const unsealed = async () => (await acls(root)).filter((acl) => before.includes(acl)).length;
    while ((await unsealed()) > RECORDS - 10);
    asked.abort();
    await expect(sealing).rejects.toMatchObject({ code: 'Interrupted' });
    await sealer.unseal();
    // Closes every session, behind all that was sent over it.
    await sealer.close();
    expect(await acls(root)).toEqual(before);
    await proxy.mend();
  });

  test('refuses writes everywhere, and gives back what there was', async () => {
    const root = '/vitess/whole';
    const { sealer, before } = await prepared(root);
    await sealer.seal({ id: 'a', scope: 'global' });
    const sealed = await acls(root);
    expect(sealed.filter((acl) => before.includes(acl))).toEqual([]);
    for (const n of [0, 1, 2, 3, RECORDS - 1])
      await expect(sealer.update(`metadata/k${n}`, Buffer.from('1'), null)).rejects.toMatchObject({
        code: 'Unauthorized',
      });
    expect(await sealer.unseal()).toMatchObject({ restored: RECORDS + 2, changed: [] });
    expect(await acls(root)).toEqual(before);
    await sealer.close();
  });
});
