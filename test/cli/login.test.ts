import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normaliseArgs } from '../../src/cli/args.js';
import { durationText, parseDuration } from '../../src/cli/durations.js';
import type { Flags } from '../../src/cli/flags.js';
import { connectSettings } from '../../src/cli/login.js';
import { parseAddress } from '../../src/topo/address.js';
import { cli } from '../support/cli.js';
import { type ConfigFolder, configFolder } from './config-file.js';
import { CERTIFICATE, KEY } from './pem.js';

const MARK = 'm4rk3d-s3cret';
/** As bundles of authorities come. */
const CA = `# An authority\n${CERTIFICATE}`;
const TOKENS = JSON.stringify({ global: { acl_token: 'g-token' }, zone1: { acl_token: 'z-token' } });

let folder: ConfigFolder;
let files: Record<
  'ca' | 'cert' | 'key' | 'password' | 'zkAuth' | 'tokens' | 'token' | 'marked' | 'empty',
  string
>;
beforeAll(async () => {
  folder = await configFolder();
  files = {
    ca: await folder.write('ca.pem', CA),
    cert: await folder.write('cert.pem', CERTIFICATE),
    key: await folder.write('key.pem', KEY),
    password: await folder.write('password', 'pass word\n'),
    zkAuth: await folder.write('zk-auth', 'digest:u:p\n'),
    tokens: await folder.write('tokens.json', TOKENS),
    token: await folder.write('token', 'file-token\n'),
    marked: await folder.write('marked', MARK),
    empty: await folder.write('empty', '\n'),
  };
});
afterAll(() => folder.remove());

const ETCD = parseAddress('etcd2://h/a');
const ZK = parseAddress('zk2://h/a');
const CONSUL = parseAddress('consul://h/a');
const pem = (text: string) => Buffer.from(text);

describe('flags become settings', () => {
  test('etcd', () => {
    const flags = (side: string): Flags => ({
      [`${side}topo-etcd-tls-ca`]: files.ca,
      [`${side}topo-etcd-tls-cert`]: files.cert,
      [`${side}topo-etcd-tls-key`]: files.key,
      [`${side}topo-etcd-tls-server-name`]: 'etcd.example.com',
      [`${side}topo-etcd-username`]: 'root',
      [`${side}topo-etcd-password-file`]: files.password,
      [`${side}topo-etcd-lease-ttl`]: '120',
    });
    const settings = {
      tls: { ca: pem(CA), cert: pem(CERTIFICATE), key: pem(KEY), serverName: 'etcd.example.com' },
      etcdAuth: { username: 'root', password: 'pass word' },
      lockTtlMs: 120_000,
    };
    expect(connectSettings(flags(''), '', {}, ETCD)).toMatchObject(settings);
    expect(connectSettings(flags('from-'), 'from', {}, ETCD)).toMatchObject(settings);
    expect(connectSettings(flags('from-'), 'to', {}, ETCD)).toMatchObject({
      tls: undefined,
      etcdAuth: undefined,
    });
  });

  test('ZooKeeper', () => {
    const flags = {
      'to-topo-zk-tls-ca': files.ca,
      'to-topo-zk-auth-file': files.zkAuth,
      'to-topo-zk-base-timeout': '30s',
      'to-topo-zk-jute-maxbuffer': '4194304',
    };
    expect(connectSettings(flags, 'to', {}, ZK)).toMatchObject({
      tls: { ca: pem(CA) },
      zkAuth: 'digest:u:p',
      lockTtlMs: 30_000,
      zkMaxRequestBytes: 4_194_304,
    });
    const ignored = { 'topo-zk-max-concurrency': '64' };
    expect(connectSettings(ignored, '', { TOPO2TOPO_ZK_AUTH: 'digest:a:b' }, ZK)).toMatchObject({
      zkAuth: 'digest:a:b',
    });
  });

  test('Consul', () => {
    const flags = {
      'topo-consul-tls-ca': files.ca,
      'consul-auth-static-file': files.tokens,
      'topo-consul-lock-delay': '1ms',
      'topo-consul-lock-session-ttl': '15s',
      'topo-consul-lock-session-checks': 'serfHealth',
      'topo-consul-watch-poll-duration': '10m',
      'topo-consul-allow-stale-reads': true,
      'topo-consul-idle-conn-timeout': '1m30s',
      'topo-consul-max-conns-per-host': '0',
      'topo-consul-max-idle-conns': '100',
      'topo-read-concurrency': '32',
    };
    expect(connectSettings(flags, '', {}, CONSUL)).toMatchObject({
      tls: { ca: pem(CA) },
      consulTokens: new Map([
        ['global', 'g-token'],
        ['zone1', 'z-token'],
      ]),
      lockDelayMs: 1,
      lockTtlMs: 15_000,
      watchPollMs: 600_000,
    });
  });

  test('flags of Vitess that change nothing are accepted, in its spellings and for every number of topologies', async () => {
    const closed = 'consul://127.0.0.1:1/a';
    const stale = '-topo_consul_allow_stale_reads';
    const others = ['--topo-consul-max-idle-conns=9', '-topo_consul_max_conns_per_host', '4'];
    const timed = ['--topo_consul_idle_conn_timeout', '90s', '-topo_read_concurrency=32'];
    const one = await cli(['ls', closed, stale, ...others, ...timed]);
    expect(one).toMatchObject({ code: 3, err: expect.stringMatching(/Unavailable/) });
    for (const side of ['from', 'to']) {
      const given = [`-${side}_topo_consul_allow_stale_reads=T`, `--${side}-topo-read-concurrency`, '32'];
      const two = await cli(['verify', closed, 'consul://127.0.0.1:2/a', ...given]);
      expect(two).toMatchObject({ code: 3, err: expect.stringMatching(/Unavailable/) });
    }
    const etcd = await cli(['ls', 'etcd2://127.0.0.1:1/a', stale]);
    expect(etcd).toMatchObject({ code: 2, err: expect.stringMatching(/stale-reads is for consul/) });
  });

  test('the older name of a flag is the newer one', () => {
    for (const name of ['-topo_etcd_lease_duration', '--topo-etcd-lease-duration', '--topo_etcd_lease_ttl'])
      expect(normaliseArgs([name, '120'])).toEqual(['--topo-etcd-lease-ttl', '120']);
    expect(normaliseArgs(['-from_topo_etcd_lease_duration=5s'])).toEqual(['--from-topo-etcd-lease-ttl=5s']);
    expect(() => normaliseArgs(['--topo_etcd_lease_duration=1', '--topo-etcd-lease-ttl=2'])).toThrow(/twice/);
  });
});

describe('the environment of Consul’s own tools', () => {
  test('asks for TLS by CONSUL_HTTP_SSL or an https address, not by certificates alone', () => {
    const env = {
      CONSUL_CACERT: files.ca,
      CONSUL_CLIENT_CERT: files.cert,
      CONSUL_CLIENT_KEY: files.key,
      CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
    };
    const tls = {
      ca: pem(CA),
      cert: pem(CERTIFICATE),
      key: pem(KEY),
      serverName: 'server.dc1.consul',
    };
    expect(connectSettings({}, '', { ...env, CONSUL_HTTP_SSL: 'true' }, CONSUL).tls).toEqual(tls);
    expect(connectSettings({}, '', { ...env, CONSUL_HTTP_SSL: '0' }, CONSUL).tls).toBeUndefined();
    expect(connectSettings({}, '', env, CONSUL).tls).toBeUndefined();
    expect(connectSettings({}, '', env, parseAddress('consul://https://h:8501/a')).tls).toEqual(tls);
    expect(connectSettings({}, '', env, ETCD).tls).toBeUndefined();
  });

  test('gives tokens, which flags and variables of ours replace', () => {
    const settings = (flags: Flags, env: Record<string, string>) => {
      const { consulToken, consulTokens } = connectSettings(flags, 'from', env, CONSUL);
      return [consulToken, consulTokens?.get('global')];
    };
    const theirs = { CONSUL_HTTP_TOKEN: 'plain' };
    expect(settings({}, theirs)).toEqual(['plain', undefined]);
    expect(settings({}, { ...theirs, CONSUL_HTTP_TOKEN_FILE: files.token })).toEqual([
      'file-token',
      undefined,
    ]);
    const ours = { ...theirs, TOPO2TOPO_FROM_CONSUL_TOKEN: 'ours' };
    expect(settings({}, ours)).toEqual(['ours', undefined]);
    expect(settings({}, { ...ours, TOPO2TOPO_FROM_CONSUL_AUTH: TOKENS })).toEqual(['ours', 'g-token']);
    expect(settings({ 'from-consul-auth-static-file': files.tokens }, theirs)).toEqual(['plain', 'g-token']);
  });
});

describe('wrong logins are refused before anything is connected to, and their secrets are in no message', () => {
  const refused = async (args: string[], message: RegExp, env: Record<string, string> = {}) => {
    const { code, out, err } = await cli(args, env);
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(out + err).not.toContain(MARK);
  };
  const etcd = 'etcd2://127.0.0.1:1/a';
  const zk = 'zk2://127.0.0.1:1/a';
  const consul = 'consul://127.0.0.1:1/a';

  test('of another product', async () => {
    await refused(['ls', etcd, '--topo-zk-tls-ca', files.ca], /--topo-zk-tls-ca is for zk2/);
    const variable = 'TOPO2TOPO_TOPO_ZK_TLS_CA';
    await refused(['ls', etcd], new RegExp(`is for zk2.*\\n.*${variable}`), { [variable]: files.ca });
    await refused(
      ['ls', zk, '--consul-auth-static-file', files.marked],
      /--consul-auth-static-file is for consul/,
    );
    await refused(
      ['copy', etcd, consul, '--to-topo-etcd-lease-ttl', '3'],
      /--to-topo-etcd-lease-ttl is for etcd2/,
    );
  });

  test('of another number of topologies', async () => {
    const two = ['copy', etcd, zk, '-topo_etcd_tls_ca', files.ca];
    await refused(two, /topo-etcd-tls-ca.*\n.*--from-topo-etcd-tls-ca or --to-topo-etcd-tls-ca/);
    await refused(['ls', etcd, '--from-topo-etcd-tls-ca', files.ca], /here it is --topo-etcd-tls-ca/);
  });

  test('durations', async () => {
    for (const value of ['0', '-1s', '1x', 'soon', '25h', MARK])
      await refused(['ls', etcd, `--topo-etcd-lease-ttl=${value}`], /--topo-etcd-lease-ttl is no duration/);
    await refused(['ls', consul, '--topo-consul-watch-poll-duration', '11m'], /at most 10m/);
  });

  test('sizes', async () => {
    for (const value of ['0', '524287', '2147483648', '1MB', '0xfffff', MARK])
      await refused(
        ['ls', zk, `--topo-zk-jute-maxbuffer=${value}`],
        /--topo-zk-jute-maxbuffer is a number of bytes/,
      );
    await refused(['ls', etcd, '--topo-zk-jute-maxbuffer', '4194304'], /is for zk2/);
  });

  test('PEM files', async () => {
    const none = await folder.write('none.pem', MARK);
    const broken = await folder.write('broken.pem', CERTIFICATE.replaceAll('A', 'B'));
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: MARK },
    });
    const locked = await folder.write('locked.pem', privateKey);
    const foreign = await folder.write('public.pem', publicKey);
    for (const [product, address] of Object.entries({ etcd, zk, consul })) {
      const flag = (part: string) => `--topo-${product}-tls-${part}`;
      const pair = (cert: string, key: string) => ['ls', address, flag('cert'), cert, flag('key'), key];
      for (const ca of [none, broken, files.key])
        await refused(['ls', address, flag('ca'), ca], /holds no certificate as PEM/);
      await refused(pair(files.key, files.cert), /key\.pem holds no certificate/);
      for (const key of [files.cert, locked, foreign, none])
        await refused(pair(files.cert, key), /holds no private key for the certificate in .*cert\.pem/);
    }
    await refused(['ls', consul], /holds no certificate/, { CONSUL_HTTP_SSL: '1', CONSUL_CACERT: none });
  });

  test('files and variables', async () => {
    await refused(
      ['ls', etcd, '--topo-etcd-tls-cert', files.cert],
      /--topo-etcd-tls-cert and --topo-etcd-tls-key/,
    );
    await refused(['ls', zk, '--topo-zk-auth-file', files.empty], /empty is empty/);
    await refused(['ls', zk, '--topo-zk-auth-file', '/nowhere/x'], /\/nowhere\/x cannot be read: ENOENT/);
    await refused(['ls', consul, '--consul-auth-static-file', files.marked], /holds no tokens/);
    await refused(['ls', consul], /TOPO2TOPO_CONSUL_AUTH holds no tokens/, {
      TOPO2TOPO_CONSUL_AUTH: JSON.stringify({ global: { token: MARK } }),
    });
    for (const token of [`${MARK}\n`, `${MARK}é`, `${MARK} `]) {
      await refused(['ls', consul], /TOPO2TOPO_CONSUL_TOKEN holds a token with a space or another sign/, {
        TOPO2TOPO_CONSUL_TOKEN: token,
      });
      await refused(['ls', consul], /CONSUL_HTTP_TOKEN holds a token with/, { CONSUL_HTTP_TOKEN: token });
      await refused(['ls', consul], /TOPO2TOPO_CONSUL_AUTH holds a token with/, {
        TOPO2TOPO_CONSUL_AUTH: JSON.stringify({ zone1: { acl_token: token } }),
      });
    }
    await refused(['ls', consul], /CONSUL_HTTP_SSL is true or false/, { CONSUL_HTTP_SSL: MARK });
    await refused(['ls', consul], /CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY/, {
      CONSUL_HTTP_SSL: '1',
      CONSUL_CLIENT_CERT: files.cert,
    });
    await refused(
      ['ls', etcd, '--topo-etcd-username', 'u'],
      /no password for etcd user u.*\n.*TOPO2TOPO_ETCD_PASSWORD/,
    );
  });
});

test('durations are Go’s, or seconds', () => {
  const read = ['30', '1.5', '1m30s', '500ms', '1h', '0.5h', '24h', '100us'];
  expect(read.map((text) => parseDuration(text, 'x'))).toEqual([
    30_000, 1_500, 90_000, 500, 3_600_000, 1_800_000, 86_400_000, 0.1,
  ]);
  expect([0, 59_400, 185_000, 93_600_000].map(durationText)).toEqual(['0s', '59s', '3m05s', '26h00m']);
});

test('a freeze reads through the faster ZooKeeper client, unless another one is asked for', () => {
  const client = (flags: Flags) => connectSettings(flags, 'from', {}, ZK).zkClient;
  expect(client({})).toBeUndefined();
  expect(client({ freeze: true })).toBe('own');
  expect(client({ freeze: true, 'zk-client': 'native' })).toBe('native');
});
