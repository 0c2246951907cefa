import type { Raw, Rival, Rivals } from '../conformance/subject.js';
import type { V2 } from './etcd-support.js';

/** Locks as the file `_Lock` has them, in etcd's HTTP API: made where it does not stay, compared and swapped where it does. */
export function etcdRivals(
  v2: V2,
): Required<Pick<Raw, 'ephemeral' | 'emptyDirectory' | 'orphan'>> & { readonly rivals: Rivals } {
  const begin = (key: string, contents: string, fixed: boolean, ttl?: number): Rival => {
    let index: number | undefined;
    const present = async () => (await v2.ask('GET', key, { quorum: true })).node;
    const take = async () => {
      const node = await present();
      const isFree = fixed && (node?.value === '' || node?.value === 'open');
      if (node !== undefined && !isFree) return;
      const condition = isFree ? { prevIndex: node?.modifiedIndex ?? 0 } : { prevExist: false };
      const form = { value: contents, ...(ttl === undefined ? {} : { ttl: String(ttl) }) };
      index = (await v2.ask('PUT', key, condition, form)).node?.modifiedIndex;
    };
    return {
      holds: async () => {
        if (index === undefined) await take();
        return index !== undefined && (await present())?.modifiedIndex === index;
      },
      holder: async () => {
        const value = (await present())?.value;
        return fixed && (value === '' || value === 'open') ? undefined : value;
      },
      release: async () => {
        if (index === undefined) return;
        if (fixed) await v2.ask('PUT', key, { prevIndex: index }, { value: '' });
        else await v2.ask('DELETE', key, { prevIndex: index });
        const above = key.slice(0, key.lastIndexOf('/'));
        if (!fixed && ttl === undefined) await removeIfEmpty(v2, above);
        index = undefined;
      },
      // Nobody deletes the lock of a dead process but its time to live, where it has one.
      die: async () => {
        if (index !== undefined && ttl !== undefined) await v2.ask('DELETE', key, { prevIndex: index });
        index = undefined;
      },
    };
  };
  const lockKey = (root: string, dir: string) => {
    const native = dir.replace(/^(keyspaces\/[^/]+)\/shards\/([^/]+)$/, '$1/$2');
    return { key: `${root}/${native}/_Lock`, fixed: /^keyspaces\/[^/]+(\/[^/]+)?$/.test(native) };
  };
  const lock: Rivals['lock'] = async (root, dir, contents) => {
    const { key, fixed } = lockKey(root, dir);
    const rival = begin(key, contents, fixed);
    await rival.holds();
    return rival;
  };
  return {
    rivals: {
      lock,
      campaign: async (root, name, id) => {
        const rival = begin(`${root}/election/${name}`, id, false, 600);
        await rival.holds();
        return rival;
      },
    },
    orphan: lock,
    emptyDirectory: (root, path) => v2.ask('PUT', `${root}/${path}`, { dir: true }),
    ephemeral: async (root, path, bytes) => {
      const value = Buffer.from(bytes).toString();
      await v2.ask('PUT', `${root}/${path}`, {}, { value, ttl: '600' });
      return () => v2.ask('DELETE', `${root}/${path}`);
    },
  };
}

async function removeIfEmpty(v2: V2, key: string): Promise<void> {
  const { node } = await v2.ask('GET', key);
  if (node?.dir === true && (node.nodes ?? []).length === 0) await v2.ask('DELETE', key, { dir: true });
}
