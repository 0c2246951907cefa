import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, type ConsulCluster, makeFolder, removeFolder, startConsul } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { makeToken } from '../support/consul-tokens.js';
import { plantSample } from './sample.js';

const MANAGEMENT = '6f6b4f6e-0000-4000-8000-6d61726b3364';
/** Both sides’ logins. */
const login = (token: string) => ({ TOPO2TOPO_FROM_CONSUL_TOKEN: token, TOPO2TOPO_TO_CONSUL_TOKEN: token });
const ALL = 'key_prefix "" { policy = "write" }';

describe.runIf(available.consul('1.8'))(
  'two sides in Consul, whose tokens may not read the same part',
  () => {
    let consul: ConsulCluster;
    let folder: string;
    let sides: string[];
    beforeAll(async () => {
      folder = await makeFolder();
      consul = await startConsul({ version: '1.8', acl: { managementToken: MANAGEMENT } });
      const [one, other] = ['one', 'other'].map((root) => `consul://${consul.servers}/${root}/global`);
      const { from } = await plantSample();
      for (const [source, to, root] of [
        [from, one, 'one'],
        [one, other, 'other'],
      ] as const) {
        const copied = await cli(
          ['copy', `${source}`, `${to}`, '--to-cell-root', `${root}/{cell}`],
          login(MANAGEMENT),
        );
        if (copied.code !== 0) throw new Error(copied.err);
      }
      sides = [`${one}`, `${other}`];
    }, 150_000);
    afterAll(async () => {
      await consul?.stop();
      await removeFolder(folder);
    });

    /** Compares with a token that may not read what is below these paths of the global stores, or of zone1's. */
    const verify = async (scope: string, denied: string, ...args: string[]) => {
      const deny = (root: string) => `key_prefix "${root}/${scope}/${denied}" { policy = "deny" }`;
      const token = await makeToken(consul, MANAGEMENT, `${ALL} ${deny('one')} ${deny('other')}`);
      return cli(['verify', ...sides, ...args], login(token));
    };

    test('are equal to a token that may read all', async () => {
      expect(await verify('none', '')).toMatchObject({ code: 0, out: expect.stringMatching(/^equal: /m) });
    });

    test('are never equal, and get no certificate: a keyspace that cells tell of', async () => {
      const certificate = join(folder, 'certificate');
      const result = await verify('global', 'keyspaces/orders', '--certificate', certificate);
      expect(result).toMatchObject({
        code: 3,
        err: expect.stringMatching(/path keyspaces\/orders\/.*\[Unauthorized\]/s),
      });
      expect(existsSync(certificate)).toBe(false);
      expect(await verify('global', 'keyspaces/orders', '--keyspace', 'commerce')).toMatchObject({ code: 0 });
    });

    test('are refused by a patrol: a keyspace that cells tell of', async () => {
      const result = await verify('global', 'keyspaces/orders', '--watch', '--for', '10s', '--settle', '0');
      expect(result).toMatchObject({
        code: 3,
        err: expect.stringMatching(/path keyspaces\/orders\/.*\[Unauthorized\]/s),
      });
      expect(result.out).not.toMatch(/equal/);
    });

    test.each([
      ['global', 'metadata/', 'metadata/*'],
      ['global', 'RoutingRules', 'RoutingRules'],
      ['zone1', 'tablets/', 'tablets/*'],
    ])('are never equal: of %s all of %s, of which nothing tells', async (scope, denied, asked) => {
      const result = await verify(scope, denied);
      expect(result).toMatchObject({ code: 3, err: expect.stringContaining(`path ${asked}`) });
      expect(await verify(scope, denied, '--kinds', 'Shard')).toMatchObject({ code: 0 });
    });
  },
);
