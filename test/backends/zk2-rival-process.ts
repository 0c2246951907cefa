import { loadAddon, type NativeCalls, type NativeHandle } from '../../src/zookeeper/native-addon.js';

/**
 * A process that locks as Vitess does, with the `zookeeper` package and by the recipe of Vitess's zk2topo: an ephemeral
 * sequential znode below the queue, the lowest name holds. Apart from the tests', since the addon can abort it.
 */

/** What is asked of it: `enter` makes a session and an entry in the queue, `leave` removes them. */
export interface RivalRequest {
  readonly id: number;
  readonly what: 'enter' | 'holds' | 'holder' | 'leave' | 'die';
  readonly rival: number;
  /** Of `enter`. */
  readonly servers?: string;
  /** Of `enter`: the znode that stays, whatever is removed below it. */
  readonly root?: string;
  /** Of `enter`: the znode that entries are children of. */
  readonly queue?: string;
  /** Of `enter`. */
  readonly contents?: string;
}

export interface RivalAnswer {
  readonly id: number;
  readonly result?: boolean | string | undefined;
  readonly failure?: string;
}

interface Member {
  readonly handle: NativeHandle;
  readonly root: string;
  readonly queue: string;
  readonly name: string;
}

const PERSISTENT = 0;
const EPHEMERAL_SEQUENTIAL = 3;
const OK = 0;
const NO_NODE = -101;
const NODE_EXISTS = -110;
/** The server's default maximum: it lives for as long as a sentence may take. */
const SESSION_MS = 40_000;

const members = new Map<number, Member>();

/** Calls the addon, which answers at once with a code when there will be no callback. */
function ask<T>(
  start: (done: (code: number, value?: T) => void) => number,
): Promise<[number, T | undefined]> {
  return new Promise((resolve) => {
    const code = start((answer, value) => resolve([answer, value]));
    if (code !== OK) resolve([code, undefined]);
  });
}

const create = (native: NativeCalls, path: string, data: Buffer, flags: number) =>
  ask<string>((done) => native.a_create(path, data, flags, (code, _, name) => done(code, name)));
const remove = (native: NativeCalls, path: string) =>
  ask<void>((done) => native.a_delete_(path, -1, (code) => done(code)));

async function open(servers: string): Promise<NativeHandle> {
  const handle = new (await loadAddon())({});
  const connected = new Promise<void>((resolve) => handle.on('connect', resolve));
  handle.native.init({ connect: servers, timeout: SESSION_MS, response_counter_limit: 1_000_000 });
  await connected;
  return handle;
}

async function names({ native }: NativeHandle, queue: string): Promise<string[]> {
  await ask<string>((done) => native.a_sync('/', (code, _, path) => done(code, path)));
  const [code, found = []] = await ask<string[]>((done) =>
    native.a_get_children2(queue, false, (answer, _, children) => done(answer, children)),
  );
  if (code !== OK && code !== NO_NODE) throw new Error(`getChildren: ${code}`);
  return found.sort();
}

async function enter({
  rival,
  servers = '',
  root = '',
  queue = '',
  contents = '',
}: RivalRequest): Promise<void> {
  const handle = await open(servers);
  for (;;) {
    const data = Buffer.from(contents);
    const [code, path] = await create(handle.native, `${queue}/`, data, EPHEMERAL_SEQUENTIAL);
    if (code === OK && path !== undefined) {
      members.set(rival, { handle, root, queue, name: path.slice(queue.length + 1) });
      return;
    }
    if (code !== NO_NODE) throw new Error(`create: ${code}`);
    const parts = queue.split('/').slice(1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const parent = `/${parts.slice(0, depth).join('/')}`;
      const [made] = await create(handle.native, parent, Buffer.alloc(0), PERSISTENT);
      if (made !== OK && made !== NODE_EXISTS && made !== NO_NODE) throw new Error(`create: ${made}`);
    }
  }
}

async function holder({ handle, queue }: Member): Promise<string | undefined> {
  for (;;) {
    const [first] = await names(handle, queue);
    if (first === undefined) return undefined;
    const [code, data] = await ask<Buffer | null>((done) =>
      handle.native.a_get(`${queue}/${first}`, false, (answer, _, __, bytes) => done(answer, bytes)),
    );
    if (code === OK) return data?.toString() ?? '';
    if (code !== NO_NODE) throw new Error(`get: ${code}`);
  }
}

/** Removes the entry and the directories that this leaves empty. */
async function leave({ handle, root, queue, name }: Member): Promise<void> {
  await remove(handle.native, `${queue}/${name}`);
  for (let path = queue; path !== root; path = path.slice(0, path.lastIndexOf('/'))) {
    const [code] = await remove(handle.native, path);
    if (code !== OK) break;
  }
  handle.close();
}

async function serve(request: RivalRequest): Promise<boolean | string | undefined> {
  const { what, rival } = request;
  if (what === 'enter') {
    await enter(request);
    return undefined;
  }
  const member = members.get(rival);
  if (member === undefined) return undefined;
  if (what === 'holds') return (await names(member.handle, member.queue))[0] === member.name;
  if (what === 'holder') return holder(member);
  members.delete(rival);
  if (what === 'leave') await leave(member);
  else member.handle.close();
  return undefined;
}

process.on('message', (request: RivalRequest) => {
  serve(request).then(
    (result) => process.send?.({ id: request.id, result } satisfies RivalAnswer),
    (error: unknown) => process.send?.({ id: request.id, failure: String(error) } satisfies RivalAnswer),
  );
});
process.on('disconnect', () => process.exit());
