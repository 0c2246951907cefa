import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/topo/address.js';
import { encode } from '../../../src/topo/codec.js';
import { cli } from '../../support/cli.js';
import { isNightly } from '../../support/nightly.js';
import { SEALABLES, type SealableServer } from '../../support/sealable.js';
import { Mortal } from './mortal.js';

const LIMIT_MS = 240_000;
const RECORDS: readonly (readonly [scope: string, path: string])[] = [
  ['global', 'metadata/owner'],
  // Nothing to lock: the locks of the dead would be waited for.
  ['zone1', 'tablets/zone1-0000000001/Tablet'],
  ['zone1', 'tablets/zone1-0000000002/Tablet'],
];
/** Each kill is followed by a repair: a minute and a half for each product. */
const NOW = isNightly ? /3\.8|3\.5/ : /3\.8/;
const CHOSEN = SEALABLES.filter(({ name, available }) => available && NOW.test(name));
const mortal = new Mortal();

describe.each(CHOSEN)('on $name', ({ implementation, start }) => {
  let server: SealableServer;
  let before: string[];
  const address = (scope: string) => `${implementation}://${server.servers}/vitess/${scope}`;
  const rootOf = (scope: string) => parseAddress(address(scope)).root;
  const alone = (command: string) => cli([command, address('global'), ...server.flags('')], server.env(''));

  beforeAll(async () => {
    server = await start();
    const [global, zone1] = [await server.writer(rootOf('global')), await server.writer(rootOf('zone1'))];
    await global.create(
      'cells/zone1/CellInfo',
      encode('topodata.CellInfo', { server_address: server.servers, root: rootOf('zone1') }),
    );
    for (const [scope, path] of RECORDS)
      await (scope === 'global' ? global : zone1).create(path, Buffer.from('x'));
    await Promise.all([global.close(), zone1.close()]);
    before = await server.rights();
  }, LIMIT_MS);
  afterAll(() => server?.stop());

  /** Runs a command undisturbed, then killed at each of its requests in turn, and mends what each leaves. */
  async function killedEverywhere(
    work: () => ReturnType<typeof cli>,
    prepare: () => Promise<unknown> = async () => {},
  ): Promise<void> {
    await prepare();
    const whole = await mortal.run(0, work);
    expect(whole?.answer.code, whole?.answer.err).toBe(0);
    await mended('undisturbed');
    const requests = whole?.requests ?? 0;
    expect(requests).toBeGreaterThan(5);
    for (let at = 1; at <= requests; at++) {
      await prepare();
      const what = `killed after request ${at} of ${requests}`;
      const lived = await mortal.run(at, work);
      // Two stores that share servers wait for one another, and do not always ask as often.
      if (lived !== undefined) expect(at, lived.answer.err).toBeGreaterThan(requests / 2);
      await mended(what);
    }
  }

  /** Names what is left, takes it off, and finds every right as it was. */
  async function mended(what: string): Promise<void> {
    const isChanged = JSON.stringify(await server.rights()) !== JSON.stringify(before);
    if (isChanged) {
      const { out } = await cli(
        ['doctor', '--from', address('global'), ...server.flags('from')],
        server.env('from'),
      );
      expect(out, what).toMatch(/^stop sealed source [\s\S]*topo2topo unseal/m);
    }
    const { code, out, err } = await alone('unseal');
    expect({ code, err }, `${what}: ${out}`).toEqual({ code: 0, err: '' });
    expect(await server.rights(), what).toEqual(before);
    const writer = await server.writer(rootOf('zone1'));
    expect(await writer.sealed(), what).toBeUndefined();
    await writer.update('tablets/zone1-0000000001/Tablet', Buffer.from('x'), null);
    await writer.close();
  }

  test(
    'a seal that is killed at any request is named, and can be undone exactly',
    () => killedEverywhere(() => alone('seal')),
    LIMIT_MS,
  );

  test(
    'an unseal that is killed at any request is named, and can be run again',
    () =>
      killedEverywhere(
        () => alone('unseal'),
        async () => expect(await alone('seal')).toMatchObject({ code: 0 }),
      ),
    LIMIT_MS,
  );

  test(
    'a freeze that is killed at any request leaves a seal that is named, and can be undone exactly',
    () => {
      let number = 0;
      return killedEverywhere(() => {
        const to = `memory://etcd:killed${++number}-${process.pid}/vitess/global`;
        const flags = [
          '--to-cell-root',
          '/v/{cell}',
          '--freeze',
          '--freeze-timeout',
          '2m',
          '--allow-undecodable',
        ];
        return cli(['copy', address('global'), to, ...server.flags('from'), ...flags], server.env('from'));
      });
    },
    LIMIT_MS,
  );
});
