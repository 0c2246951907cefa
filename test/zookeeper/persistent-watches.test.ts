import { describe, expect, it } from 'vitest';
import {
  type PersistentWatchEvent,
  type WatchSignal,
  ZkCode,
  type ZooKeeperClient,
} from '../../src/zookeeper/client.js';
import { fourLetterWord } from '../servers/index.js';
import { describeClients } from './clients.js';
import { eventually, failure, OPEN } from './support.js';
import { cutConnectionOf } from './takeover.js';

const PATIENCE_MS = 30_000;

/** Events as `signal path`, in order. */
class Told {
  readonly events: PersistentWatchEvent[] = [];
  readonly watcher = (event: PersistentWatchEvent): void => void this.events.push(event);

  /** What was told since the last time, of which everything arrives before the answer to a sync. */
  async take(client: ZooKeeperClient): Promise<string[]> {
    await client.sync('/');
    return this.events.splice(0).map(({ signal, path }) => `${signal} ${path}`);
  }
}

/** Whether the server keeps any watch on the path. */
async function watched(server: string, path: string): Promise<boolean> {
  return (await fourLetterWord(server, 'wchp')).split('\n').includes(path);
}

function put(client: ZooKeeperClient, path: string): Promise<unknown> {
  return client.create({ path, data: Buffer.from('v'), acl: OPEN });
}

describeClients((context) => {
  const { name, modern, version } = context;

  describe.runIf(!(name !== 'native' && modern))('persistent watches', () => {
    it('are refused by name, and the client works on', async () => {
      const { client, base } = context;
      const told = new Told();
      const error = await failure(client.addWatch(base, { recursive: true }, told.watcher));
      expect(error.code).toBe(name !== 'native' ? ZkCode.Unimplemented : ZkCode.Unsupported);
      expect((await client.exists(base)).stat).toBeDefined();
    });
  });

  describe.runIf(name !== 'native' && modern)('a plain persistent watch', () => {
    it('tells every change of the node and its list of children, and of nothing below', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      const told = new Told();
      await client.addWatch(base, { recursive: false }, told.watcher);
      await other.setData(base, null, -1);
      await other.setData(base, null, -1);
      await put(other, `${base}/a`);
      await put(other, `${base}/a/b`);
      await other.setData(`${base}/a`, null, -1);
      await other.delete(`${base}/a/b`, -1);
      await other.delete(`${base}/a`, -1);
      await other.delete(base, -1);
      await put(other, base);
      expect(await told.take(client)).toEqual([
        `dataChanged ${base}`,
        `dataChanged ${base}`,
        `childrenChanged ${base}`,
        `childrenChanged ${base}`,
        `deleted ${base}`,
        `created ${base}`,
      ]);
    });

    it('may be set on a node that does not exist', async () => {
      const { client, base } = context;
      const told = new Told();
      const path = `${base}/later`;
      await client.addWatch(path, { recursive: false }, told.watcher);
      await put(client, path);
      expect(await told.take(client)).toEqual([`created ${path}`]);
    });
  });

  describe.runIf(name !== 'native' && modern)('a recursive watch', () => {
    it('tells every change of data and existence, of the node and of all below it', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      const told = new Told();
      await client.addWatch(base, { recursive: true }, told.watcher);
      await other.setData(base, null, -1);
      await put(other, `${base}/a`);
      await put(other, `${base}/a/b`);
      await other.setData(`${base}/a/b`, null, -1);
      await other.setAcl(`${base}/a/b`, OPEN, -1);
      await put(other, `${base}x`);
      await other.delete(`${base}/a/b`, -1);
      expect(await told.take(client)).toEqual([
        `dataChanged ${base}`,
        `created ${base}/a`,
        `created ${base}/a/b`,
        `dataChanged ${base}/a/b`,
        `deleted ${base}/a/b`,
      ]);
    });

    it('of the root tells of everything', async () => {
      const { client, base } = context;
      const told = new Told();
      await client.addWatch('/', { recursive: true }, told.watcher);
      await put(client, `${base}/a`);
      expect(await told.take(client)).toContain(`created ${base}/a`);
    });

    it(`tells ${version === '3.9' ? 'the zxid of each change' : 'no zxids'}`, async () => {
      const { client, base } = context;
      const told = new Told();
      await client.addWatch(base, { recursive: true }, told.watcher);
      const { zxid } = await client.setData(base, null, -1);
      const [event] = told.events;
      expect(event).toEqual({ signal: 'dataChanged', path: base, zxid: version === '3.9' ? zxid : 0n });
    });

    it('tells of a change before an answer that shows it', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      const path = `${base}/counter`;
      await client.create({ path, data: Buffer.from('0'), acl: OPEN });
      let told = 0;
      await client.addWatch(base, { recursive: true }, () => {
        told++;
      });
      const count = 300;
      const writing = (async () => {
        for (let i = 1; i <= count; i++) await other.setData(path, Buffer.from(String(i)), -1);
      })();
      const reading = (async () => {
        for (let seen = 0; seen < count; ) {
          seen = Number((await client.getData(path)).data);
          expect(told).toBeGreaterThanOrEqual(seen);
        }
      })();
      await Promise.all([reading, writing]);
      expect(told).toBe(count);
    });

    it('misses nothing and keeps the order under thousands of changes', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      const told = new Told();
      await client.addWatch(base, { recursive: true }, told.watcher);
      const paths = Array.from({ length: 3_000 }, (_, i) => `${base}/${i}`);
      await Promise.all(paths.map((path) => put(other, path)));
      await Promise.all(paths.map((path) => other.delete(path, -1)));
      const expected = [...paths.map((path) => `created ${path}`), ...paths.map((path) => `deleted ${path}`)];
      expect(await told.take(client)).toEqual(expected);
    });
  });

  describe.runIf(name !== 'native' && modern)('persistent watches', () => {
    it.each([false, true])(
      'are told `lost` once when the connection ends, then nothing (recursive: %s)',
      async (recursive) => {
        const { client, base, connect } = context;
        const other = await connect();
        const told = new Told();
        await client.addWatch(base, { recursive }, told.watcher);
        await cutConnectionOf(context.server, client.session);
        await eventually(() => told.events.length > 0, PATIENCE_MS);
        await eventually(
          () =>
            client.exists(base).then(
              () => true,
              () => false,
            ),
          PATIENCE_MS,
        );
        await other.setData(base, null, -1);
        await client.sync(base);
        expect(told.events).toEqual([{ signal: 'lost', path: base, zxid: 0n }]);
      },
    );

    it('may be added again after that', async () => {
      const { client, base } = context;
      const told = new Told();
      await client.addWatch(base, { recursive: true }, told.watcher);
      await cutConnectionOf(context.server, client.session);
      await eventually(() => told.events.length > 0, PATIENCE_MS);
      const again = new Told();
      await eventually(
        () =>
          client.addWatch(base, { recursive: true }, again.watcher).then(
            () => true,
            () => false,
          ),
        PATIENCE_MS,
      );
      await put(client, `${base}/a`);
      expect(await again.take(client)).toContain(`created ${base}/a`);
    });

    it('are told `lost` when the client is closed', async () => {
      const { base, connect } = context;
      const client = await connect();
      const told = new Told();
      const watch = await client.addWatch(base, { recursive: true }, told.watcher);
      await client.close();
      expect(told.events.map(({ signal }) => signal)).toEqual(['lost']);
      await watch.remove();
    });

    it.each([false, true])('tell nothing after they are removed (recursive: %s)', async (recursive) => {
      const { client, base, connect } = context;
      const other = await connect();
      const told = new Told();
      const watch = await client.addWatch(base, { recursive }, told.watcher);
      await other.setData(base, null, -1);
      expect(await told.take(client)).toEqual([`dataChanged ${base}`]);
      expect(await watched(context.server, base)).toBe(true);
      const removed = watch.remove();
      await other.setData(base, null, -1);
      await removed;
      await watch.remove();
      await other.setData(base, null, -1);
      expect(await told.take(client)).toEqual([]);
      expect(await watched(context.server, base)).toBe(false);
    });

    it('tell nothing after remove was called while an event was on its way', async () => {
      const { client, base } = context;
      const told = new Told();
      const watch = await client.addWatch(base, { recursive: false }, told.watcher);
      const removed: Promise<void>[] = [];
      await client.getData(base, { watcher: () => removed.push(watch.remove()) });
      await client.setData(base, null, -1);
      await client.sync(base);
      expect(removed).toHaveLength(1);
      await Promise.all(removed);
      expect(told.events).toEqual([]);
    });

    it('of one path and several callers are told to each, until the last removes its own', async () => {
      const { client, base } = context;
      const [first, second] = [new Told(), new Told()];
      const one = await client.addWatch(base, { recursive: true }, first.watcher);
      const two = await client.addWatch(base, { recursive: true }, second.watcher);
      await put(client, `${base}/a`);
      expect(await first.take(client)).toEqual([`created ${base}/a`]);
      expect(await second.take(client)).toEqual([`created ${base}/a`]);
      await one.remove();
      await put(client, `${base}/b`);
      expect(await first.take(client)).toEqual([]);
      expect(await second.take(client)).toEqual([`created ${base}/b`]);
      expect(await watched(context.server, base)).toBe(true);
      await two.remove();
      await put(client, `${base}/c`);
      expect(await second.take(client)).toEqual([]);
      expect(await watched(context.server, base)).toBe(false);
    });

    it('of one path are of one kind; another kind may follow when they are removed', async () => {
      const { client, base } = context;
      const told = new Told();
      const watch = await client.addWatch(base, { recursive: true }, told.watcher);
      const error = await failure(client.addWatch(base, { recursive: false }, told.watcher));
      expect(error).toMatchObject({ code: ZkCode.BadArguments, path: base, sent: false });
      await watch.remove();
      await client.addWatch(base, { recursive: false }, told.watcher);
      await put(client, `${base}/a`);
      expect(await told.take(client)).toEqual([`childrenChanged ${base}`]);
    });

    it('of different paths that cover one another each tell their own', async () => {
      const { client, base } = context;
      const [outer, inner, plain] = [new Told(), new Told(), new Told()];
      await put(client, `${base}/a`);
      await client.addWatch(base, { recursive: true }, outer.watcher);
      await client.addWatch(`${base}/a`, { recursive: true }, inner.watcher);
      await put(client, `${base}/a/b`);
      await client.addWatch(`${base}/a/b`, { recursive: false }, plain.watcher);
      await put(client, `${base}/a/b/c`);
      await put(client, `${base}/d`);
      const [b, c, d] = [`${base}/a/b`, `${base}/a/b/c`, `${base}/d`].map((path) => `created ${path}`);
      expect(await outer.take(client)).toEqual([b, c, d]);
      expect(await inner.take(client)).toEqual([b, c]);
      expect(await plain.take(client)).toEqual([`childrenChanged ${base}/a/b`]);
    });

    it('whose call was given up are not left at the server', async () => {
      const { client, base } = context;
      const told = new Told();
      const abort = new AbortController();
      const asked = failure(client.addWatch(base, { recursive: true }, told.watcher, abort));
      // The request has gone out by then, and its answer is not read yet.
      await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      expect((await asked).code).toBe(ZkCode.Aborted);
      await client.setData(base, null, -1);
      await client.sync(base);
      expect(told.events).toEqual([]);
      expect(await watched(context.server, base)).toBe(false);
    });

    it.each([
      ['data', false],
      ['data', true],
      ['children', false],
      ['children', true],
    ] as const)(
      'and one-shot watches on one path do not harm each other (%s, recursive: %s)',
      async (kind, recursive) => {
        const { client, base, connect } = context;
        const other = await connect();
        let next = 0;
        const change = async (): Promise<string> => {
          const child = `${base}/${next++}`;
          if (kind === 'children') await put(other, child);
          else await other.setData(base, null, -1);
          if (kind === 'data') return `dataChanged ${base}`;
          return recursive ? `created ${child}` : `childrenChanged ${base}`;
        };
        const shot: WatchSignal[] = [];
        const watcher = (signal: WatchSignal): void => void shot.push(signal);
        const shoot = () =>
          kind === 'data' ? client.getData(base, { watcher }) : client.getChildren(base, { watcher });
        const signal = kind === 'data' ? 'dataChanged' : 'childrenChanged';
        const told = new Told();

        // Set before: told, or `lost` where the persistent watch has taken its place.
        await shoot();
        const watch = await client.addWatch(base, { recursive }, told.watcher);
        expect(await told.take(client)).toEqual([]);
        const first = await change();
        expect(await told.take(client)).toEqual([first]);
        expect(shot.splice(0)).toEqual([kind === 'children' && recursive ? 'lost' : signal]);

        // Set after: told once, and the persistent watch goes on.
        await shoot();
        const second = [await change(), await change()];
        expect(await told.take(client)).toEqual(second);
        expect(shot.splice(0)).toEqual([signal]);

        // Still there when the persistent watch is removed: `lost`.
        await shoot();
        await watch.remove();
        expect(shot.splice(0)).toEqual(['lost']);

        // And without it as ever.
        await shoot();
        await change();
        expect(await told.take(client)).toEqual([]);
        expect(shot).toEqual([signal]);
      },
    );

    it('that are given up before they were asked for leave no one-shot watch that would never be told', async () => {
      const { client, base } = context;
      const abort = new AbortController();
      const asked = failure(client.addWatch(base, { recursive: false }, () => {}, abort));
      const shot: WatchSignal[] = [];
      const read = client.getData(base, { watcher: (signal) => shot.push(signal) });
      abort.abort();
      expect(await asked).toMatchObject({ code: ZkCode.Aborted, sent: false });
      await read;
      await client.setData(base, null, -1);
      await client.sync(base);
      expect(shot).toEqual(['lost']);
    });

    it('that go down with the connection take the one-shot watch with them that was asked for meanwhile', async () => {
      const { client, base } = context;
      const told = new Told();
      await client.addWatch(base, { recursive: false }, told.watcher);
      const shot: WatchSignal[] = [];
      const cutting = cutConnectionOf(context.server, client.session);
      // Answered before the cut, after it, or not at all. Where it was answered the watcher is told.
      const asked = client.getData(base, { watcher: (signal) => shot.push(signal) });
      const answered = await asked.then(
        () => true,
        () => false,
      );
      await cutting;
      await eventually(() => told.events.length > 0, PATIENCE_MS);
      if (answered) await eventually(() => shot.length > 0, PATIENCE_MS);
      expect(shot).toEqual(answered ? ['lost'] : []);
    });
  });
});
