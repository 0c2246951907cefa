import { describe, expect, test } from 'vitest';
import { isTopologyError } from '../../src/topo/errors.js';
import { eventually, utf8 } from '../conformance/tools.js';
import { fourLetterWord, type Member, startZooKeeper } from '../servers/index.js';
import { canFillDisks, fillDisk } from './disk.js';
import { ZOOKEEPER } from './ensemble.js';
import { open } from './rig.js';
import { failsInTime, type Scenario } from './scenarios.js';
import { runScenarios } from './suite.js';

/** The sessions that the leader keeps alive. */
async function sessions(leader: Member): Promise<Set<string>> {
  const [trackers = ''] = (await fourLetterWord(leader.address, 'dump')).split('ephemeral nodes');
  return new Set(trackers.match(/0x[0-9a-f]+/g));
}

const EXPIRY: Scenario = {
  title: 'the session expires',
  run: async ({ way, leader }) => {
    const led = await leader();
    const before = await sessions(led);
    for (const proxy of way.proxies) {
      proxy.refuse();
      proxy.reset();
    }
    await eventually('the end of all sessions but that of the undisturbed connection', async () => {
      const now = await sessions(led);
      return [...before].filter((id) => now.has(id)).length === 1;
    });
  },
};

runScenarios(ZOOKEEPER, [EXPIRY]);

describe.runIf(ZOOKEEPER.available() && canFillDisks())('a lone ZooKeeper whose disk is full', () => {
  test('leaves no call waiting, and has what it acknowledged once there is room again', async () => {
    const server = await startZooKeeper({ version: '3.8' });
    const connection = await open(ZOOKEEPER, server.servers, '/failures/full', Math.random);
    try {
      const acknowledged: string[] = [];
      const write = async (i: number): Promise<string | undefined> => {
        const path = `written/${i}`;
        try {
          await connection.create(path, utf8(path), { deadline: Date.now() + 1_000 });
          acknowledged.push(path);
          return undefined;
        } catch (error) {
          return isTopologyError(error) ? error.code : Promise.reject(error);
        }
      };
      for (let i = 0; i < 20; i++) expect(await write(i)).toBeUndefined();
      await fillDisk(server.member);
      let next = 20;
      const codes = new Set<string | undefined>();
      await eventually('writes that fail', async () => {
        next += 1;
        codes.add(await write(next));
        return codes.has('Unavailable') || codes.has('OutcomeUnknown');
      });
      await failsInTime(connection);
      await server.restart();
      await eventually('a read', () => connection.position({ deadline: Date.now() + 2_000 }), 40_000);
      const found = new Set(await connection.listDir('written'));
      expect(acknowledged.filter((path) => !found.has(path.replace('written/', '')))).toEqual([]);
      await connection.create('afterwards', utf8('x'));
    } finally {
      await connection.close();
      await server.stop();
    }
  }, 120_000);
});
