import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { companionKeys, toKey } from '../../src/legacy/etcd-paths.js';
import { textFor } from '../../src/legacy/etcd-text.js';
import { available, type EtcdCluster, startEtcd } from '../servers/index.js';
import { clearEtcd, plantEtcd } from './plant.js';
import { nodesOf } from './samples/sample.js';
import { wholeEtcd } from './samples/whole.js';

test('text is kept, and what is no UTF-8 is refused before it is written', () => {
  const text = 'a\u0000ä\u{1f600}\r\n';
  expect(textFor('p', Buffer.from(text))).toBe(text);
  for (const bytes of [[0x80], [0xff, 0xfe], [0xed, 0xa0, 0x80], [0xc3]])
    expect(() => textFor('p', Uint8Array.from(bytes), 's')).toThrow(
      expect.objectContaining({ code: 'Unsupported', path: 'p', store: 's' }),
    );
});

describe.runIf(available.etcd('3.3'))('the keys of a legacy etcd store, on a real one', () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.3', flags: ['--enable-v2'] });
  }, 60_000);
  afterAll(() => etcd.stop());

  const ask = async (
    key: string,
    body?: string,
  ): Promise<{ node: { value?: string; nodes?: { key: string }[] } }> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = body === undefined ? {} : { method: 'PUT', headers, body };
    const answer = await fetch(`${etcd.endpoints[0]}/v2/keys${key}`, init);
    const text = await answer.text();
    expect(answer.ok, text).toBe(true);
    return JSON.parse(text);
  };

  test('a keyspace beside its lock and its shards', async () => {
    const keyspace = { cell: undefined, path: 'keyspaces/ks/Keyspace' };
    const shard = { cell: undefined, path: 'keyspaces/ks/shards/0/Shard' };
    for (const record of [keyspace, shard]) {
      await ask(toKey(record), 'value=%7B%7D');
      for (const [key, value] of companionKeys(record)) await ask(key, `value=${value}`);
    }
    for (const record of [keyspace, shard]) expect((await ask(toKey(record))).node.value).toBe('{}');
    // Hidden from listings, so that what is listed is the shards alone.
    expect((await ask('/vt/keyspaces/ks?recursive=true')).node.nodes).toMatchObject([
      { key: '/vt/keyspaces/ks/0' },
    ]);
  });

  test('text comes back as it is, and what is refused would not', async () => {
    const text = textFor('p', Buffer.from('a\u0000ä\u{1f600}\r\n'));
    await ask('/vt/text', `value=${encodeURIComponent(text)}`);
    expect((await ask('/vt/text')).node.value).toBe(text);
    await ask('/vt/bytes', 'value=%80');
    expect((await ask('/vt/bytes')).node.value).toBe('\ufffd');
  });

  test('a planted sample', async () => {
    const { nyc } = wholeEtcd({ nyc: 'http://localhost:1', sfo: 'http://localhost:2' });
    const endpoint = etcd.endpoints[0] ?? '';
    await clearEtcd(endpoint);
    await plantEtcd(nyc, endpoint);
    for (const { path, value } of nodesOf(nyc)) expect((await ask(path)).node.value).toBe(value?.toString());
    await clearEtcd(endpoint);
    expect((await fetch(`${endpoint}/v2/keys/vt`)).status).toBe(404);
  });
});
