import type { Raw, Rival, Rivals } from '../conformance/subject.js';
import { Curl, LOCK_FLAGS, urlOf } from './consul-support.js';

/** A session as Vitess makes it, but for the lock delay: its end leaves the key behind. */
const SESSION = { Behavior: 'release', LockDelay: '0s', TTL: '600s' };

/** Consul's lock recipe in its HTTP API, through curl. */
export function consulRivals(
  api: () => string,
): Required<Pick<Raw, 'ephemeral' | 'endOwner' | 'orphan'>> & { readonly rivals: Rivals } {
  const keyOf = (root: string, path: string) => `${root}/${path}`.replace(/^\//, '');
  const endOwner = (owner: string) => new Curl(api()).ask('PUT', `session/destroy/${owner}`);
  const begin = async (key: string, contents: string): Promise<Rival> => {
    const curl = new Curl(api());
    const session = await curl.session(SESSION);
    await curl.acquire(key, session, contents);
    const present = async () => (await curl.tree(key)).find((found) => found.key === key);
    let over = false;
    const end = async () => {
      over = true;
      await curl.ask('PUT', `session/destroy/${session}`);
    };
    return {
      holds: async () => (await present())?.session === session || curl.acquire(key, session, contents),
      holder: async () => {
        const found = await present();
        return found === undefined || found.session === ''
          ? undefined
          : Buffer.from(found.value, 'base64').toString();
      },
      release: async () => {
        if (over) return;
        const held = (await present())?.session === session;
        const released = await curl.ask(
          'PUT',
          `kv/${urlOf(key)}?release=${session}&flags=${LOCK_FLAGS}`,
          contents,
        );
        const left = await curl.ask('GET', `kv/${urlOf(key)}`);
        const index = /"ModifyIndex":(\d+)/.exec(left)?.[1];
        if (held && released.trim() === 'true' && !left.includes('"Session"'))
          await curl.ask('DELETE', `kv/${urlOf(key)}?cas=${index}`);
        await end();
      },
      die: async () => {
        if (!over) await end();
      },
    };
  };
  return {
    rivals: {
      lock: (root, dir, contents) => begin(keyOf(root, dir === '' ? 'Lock' : `${dir}/Lock`), contents),
      campaign: (root, name, id) => begin(keyOf(root, `elections/${name}`), id),
    },
    endOwner,
    orphan: async (root, dir, contents) => {
      await (await begin(keyOf(root, `${dir}/Lock`), contents)).die();
    },
    ephemeral: async (root, path, bytes) => {
      const curl = new Curl(api());
      const session = await curl.session({ Behavior: 'delete', LockDelay: '0s' });
      await curl.acquire(keyOf(root, path), session, Buffer.from(bytes).toString());
      return () => endOwner(session);
    },
  };
}
