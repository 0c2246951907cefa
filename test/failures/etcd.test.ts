import { describe, expect, test } from 'vitest';
import { isTopologyError, type TopologyError } from '../../src/topo/errors.js';
import { failure, holds, MOMENTS_MS, pattern, utf8, within } from '../conformance/tools.js';
import { startEtcd } from '../servers/index.js';
import { ETCD } from './ensemble.js';
import { open } from './rig.js';
import { runScenarios } from './suite.js';

const QUOTA = 16 << 20;
const VALUE_BYTES = 512 << 10;

runScenarios(ETCD);

describe.runIf(ETCD.available())('etcd whose quota is used up', () => {
  test('says so on every write that needs room, reads and deletes go on, and writes do once there is room again', async () => {
    const etcd = await startEtcd({ version: '3.5', flags: [`--quota-backend-bytes=${QUOTA}`] });
    const connection = await open(ETCD, etcd.servers, '/failures/full', Math.random);
    try {
      const doomed = await connection.create('doomed', utf8('x'));
      let full: TopologyError | undefined;
      for (let i = 1; full === undefined && i <= (4 * QUOTA) / VALUE_BYTES; i++) {
        full = await connection.update('large', pattern(VALUE_BYTES, i), null).then(
          () => undefined,
          (error: unknown) => (isTopologyError(error) ? error : Promise.reject(error)),
        );
      }
      // The write that crosses the limit is carried out, and refused nevertheless: nobody can tell it from others.
      expect(full).toMatchObject({
        code: 'OutcomeUnknown',
        message: expect.stringContaining('out of space'),
        hint: expect.stringContaining('disarm the alarm'),
      });
      expect(await etcd.ctl('alarm', 'list')).toContain('NOSPACE');
      const deadline = Date.now() + 3_000;
      const refused = await within(
        3_000 + MOMENTS_MS,
        'a write',
        failure(connection.create('a', utf8('x'), { deadline })),
      );
      expect(refused.message).toContain('out of space');

      await connection.position();
      expect((await connection.get('large')).bytes.byteLength).toBe(VALUE_BYTES);
      expect(await connection.listDir('')).toEqual(['doomed', 'large']);
      await connection.delete('doomed', doomed);
      expect(await connection.listDir('')).toEqual(['large']);

      await etcd.ctl('compact', String(await connection.position()));
      await etcd.ctl('defrag');
      await etcd.ctl('alarm', 'disarm');
      await connection.create('a', utf8('x'));
      await holds(connection, 'a', 'x');
    } finally {
      await connection.close();
      await etcd.stop();
    }
  }, 60_000);
});
