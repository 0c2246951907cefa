import { writeFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { fromZnode } from '../../src/legacy/zookeeper-paths.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { OPEN } from '../zookeeper/support.js';
import { nodesOf, type Sample } from './samples/sample.js';

/** Servers by cell, `global` for those of the global store; one text where all are the same. */
export type Servers = string | Readonly<Record<string, string>>;

/** A sample in real servers. */
export interface Planted {
  /** A client configuration that names the stores. */
  readonly config: Readonly<Record<string, string>>;
  /** Ends the sessions of those who run in the sample: locks, elections and processes of tablets go away. Idempotent. */
  leave(): Promise<void>;
}

/**
 * Makes the znodes of a legacy `zookeeper` sample as the tools of the time did, parents without data. What a session owned is owned by
 * one until {@link Planted.leave}: entries of `action` and of elections, and `pid`. Cells are those of the sample, and those that have servers.
 */
export async function plantZookeeper(sample: Sample, servers: Servers): Promise<Planted> {
  const paths = Object.keys(sample);
  const cells = new Set([
    ...paths.map(scopeOf),
    ...(typeof servers === 'string' ? [] : Object.keys(servers)),
  ]);
  const config = Object.fromEntries(
    [...new Set(['global', ...cells])].map((scope) => [scope, serversOf(servers, scope)]),
  );
  const clients = new Map<string, ZooKeeperClient>();
  for (const { path, value } of nodesOf(sample)) {
    const at = config[scopeOf(path)] ?? '';
    const client = clients.get(at) ?? (await connectOwnClient({ servers: at.split(',') }));
    clients.set(at, client);
    await makeParents(client, path);
    const mode = isOwned(path) && !paths.some((other) => other.startsWith(`${path}/`)) ? 1 : 0;
    await makeOrFill(client, path, value, mode);
  }
  return {
    config,
    async leave() {
      await Promise.all([...clients.values()].map((client) => client.close()));
      clients.clear();
    },
  };
}

/** Removes what a sample, or anything else, has left below `/zk`. */
export async function clearZookeeper(servers: string, top = '/zk'): Promise<void> {
  const client = await connectOwnClient({ servers: servers.split(',') });
  const remove = async (path: string): Promise<void> => {
    const { stat } = await client.exists(path);
    if (stat === undefined) return;
    for (const name of (await client.getChildren(path)).children) await remove(`${path}/${name}`);
    await client.delete(path, -1);
  };
  await remove(top).finally(() => client.close());
}

/** Writes the client configuration of a planted sample; gives the name of the file. */
export async function writeClientConfig(
  folder: string,
  { config }: Pick<Planted, 'config'>,
): Promise<string> {
  const file = posix.join(folder, 'zk_client.json');
  await writeFile(file, JSON.stringify(config, null, 2));
  return file;
}

/** Makes the keys of one store of a legacy `etcd` sample over version 2 of the API. `endpoint`: a URL. */
export async function plantEtcd(sample: Sample, endpoint: string): Promise<void> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const { path, value } of nodesOf(sample)) {
    const body = value === null ? 'dir=true' : `value=${encodeURIComponent(value.toString())}`;
    const answer = await fetch(`${endpoint}/v2/keys${path}`, { method: 'PUT', headers, body });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  }
}

/** Removes everything of a legacy `etcd` store. */
export async function clearEtcd(endpoint: string): Promise<void> {
  const answer = await fetch(`${endpoint}/v2/keys/vt?recursive=true`, { method: 'DELETE' });
  if (!answer.ok && answer.status !== 404) throw new Error(await answer.text());
}

function scopeOf(path: string): string {
  return path.split('/')[2] ?? '';
}

function serversOf(servers: Servers, scope: string): string {
  const found = typeof servers === 'string' ? servers : servers[scope];
  if (found === undefined) throw new Error(`no servers are given for ${scope}`);
  return found;
}

function isOwned(path: string): boolean {
  const place = fromZnode(path)?.place.is;
  return place === 'pid' || place === 'lock' || place === 'election';
}

async function makeParents(client: ZooKeeperClient, path: string): Promise<void> {
  const parent = posix.dirname(path);
  if (parent === '/' || (await client.exists(parent)).stat !== undefined) return;
  await makeParents(client, parent);
  await client.create({ path: parent, data: null, acl: OPEN });
}

/** A node may have been made before as a parent. */
async function makeOrFill(
  client: ZooKeeperClient,
  path: string,
  data: Buffer | null,
  mode: 0 | 1,
): Promise<void> {
  if ((await client.exists(path)).stat === undefined) await client.create({ path, data, acl: OPEN, mode });
  else await client.setData(path, data, -1);
}
