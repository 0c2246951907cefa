import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../servers/certificates.js';
import { freePorts, removeFolder } from '../servers/index.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { alias, plantCluster, put } from './clusters.js';
import { gateVars, StandIns, tabletVars } from './stand-ins.js';
import { checkCluster, said } from './told.js';

const LIMIT_MS = 60_000;
const stands = new StandIns();
afterAll(() => stands.stop());

describe.each(PRODUCTS.filter((product) => product.available && product.implementation === 'etcd2'))(
  'a cluster on $name',
  (product) => {
    let server: Server;
    beforeAll(async () => {
      server = await product.start();
    }, LIMIT_MS);
    afterAll(() => server?.stop());

    test('is told from one on another root of the same servers, and a cell that is gone from one that is empty', {
      timeout: LIMIT_MS,
    }, async () => {
      const folder = `census-${randomUUID()}`;
      const address = (scope: string) => addressOn(product, server, `${folder}/${scope}`);
      const [first = 0, second = 0, gate = 0, closed = 0] = await freePorts(4);
      const cell = { server: server.servers, root: product.root(`${folder}/zone1`) };
      await plantCluster(address, cell, [
        { uid: 100, type: 'PRIMARY', port: first },
        { uid: 101, type: 'REPLICA', port: second },
      ]);
      const { implementation } = product;
      const store = { implementation, server: server.servers, root: product.root(`${folder}/global`) };
      const elsewhere = { ...store, root: product.root('census-old/global') };
      await stands.serve([
        { port: first, does: 'tell', vars: [tabletVars(alias(100), 'primary', store)] },
        { port: second, does: 'tell', vars: [tabletVars(alias(101), 'replica', elsewhere)] },
        { port: gate, does: 'tell', vars: [gateVars(store)] },
      ]);
      const more = ['--gates', `127.0.0.1:${gate}`, '--old', addressOn(product, server, 'census-old/global')];
      const told = await checkCluster(address('global'), 1, more);
      expect(said(told)).toEqual([
        `store-old ${alias(101)} it uses the old store, ${implementation} ${server.servers} ${elsewhere.root}`,
      ]);
      expect(told.counts.stores).toEqual({ expected: 2, old: 1, other: 0, unknown: 0 });

      const gone = { server_address: `127.0.0.1:${closed}`, root: product.root('zone2') };
      await put(address, 'global', 'cells/zone2/CellInfo', 'topodata.CellInfo', gone);
      const partly = await checkCluster(address('global'), 3, ['--timeout', '2', ...more]);
      expect(said(partly)).toEqual([
        expect.stringMatching(/^cell-unreachable .*zone2/),
        expect.stringMatching(/^store-old/),
      ]);
    });
  },
);

test('pages behind TLS are asked for with the authority that is given', { timeout: LIMIT_MS }, async () => {
  const { ca, cert, key, folder } = await makeCertificates();
  try {
    const name = `etcd:${randomUUID()}`;
    const address = (scope: string) => `memory://${name}/vitess/${scope}`;
    const [port = 0, plain = 0] = await freePorts(2);
    await plantCluster(address, { server: name, root: '/vitess/zone1' }, [
      { uid: 100, type: 'PRIMARY', port },
      { uid: 101, type: 'REPLICA', port: plain },
    ]);
    const store = { implementation: 'memory', server: name, root: '/vitess/global' };
    await stands.serve([
      { port, does: 'tell', vars: [tabletVars(alias(100), 'primary', store)], tls: { cert, key } },
      { port: plain, does: 'tell', vars: [tabletVars(alias(101), 'replica', store)] },
    ]);
    const told = await checkCluster(address('global'), 5, ['--page-tls-ca', ca]);
    expect(said(told)).toEqual([expect.stringMatching(/^process-silent zone1-0000000101 .*does not tell/)]);
    expect(said(await checkCluster(address('global'), 5))).toEqual([
      expect.stringMatching(/^process-silent zone1-0000000100 .*does not tell/),
    ]);
  } finally {
    await removeFolder(folder);
  }
});
