import type { CallOptions, Capabilities, Connection } from '../../src/topo/connection.js';
import type { Lock } from '../../src/topo/locks.js';
import type { Version } from '../../src/topo/version.js';
import type { Context } from './sentence.js';
import { create, first, must, utf8 } from './tools.js';

/** One method of the contract, called in a way that would go well on {@link methodsFixture}. */
export interface Method {
  readonly name: string;
  /** `lock`: takes a lock and gives it back. */
  readonly kind: 'read' | 'write' | 'watch' | 'lock';
  /** Path that its errors name. */
  readonly path: string | undefined;
  call(connection: Connection, options?: CallOptions): Promise<unknown>;
}

/** Makes what the methods work on, and lists those that this subject has. */
export async function methodsFixture({ writer, capabilities }: Context): Promise<Method[]> {
  const version = await writer.create('dir/there', utf8('there'));
  const doomed = await writer.create('dir/doomed', utf8('doomed'));
  const methods = [...readMethods(capabilities), ...writeMethods(version, doomed)];
  if (capabilities.locks !== 'none') {
    for (const dir of ['waited', 'timed', 'tried']) await writer.create(`locked/${dir}/a`, utf8('x'));
    methods.push(...lockMethods());
  }
  return methods.filter((method) => {
    if ((method.kind === 'write' || method.kind === 'lock') && capabilities.readOnly) return false;
    return method.name !== 'write' || capabilities.batch.maxOps > 0;
  });
}

function readMethods({ watchRecursive, history }: Capabilities): Method[] {
  const read = (
    name: string,
    path: string | undefined,
    call: Method['call'],
    kind: Method['kind'] = 'read',
  ): Method => ({ name, kind, path, call });
  const methods = [
    read('listDir', 'dir', (connection, options) => connection.listDir('dir', options)),
    read('listDirFull', 'dir', (connection, options) => connection.listDirFull('dir', options)),
    read('get', 'dir/there', (connection, options) => connection.get('dir/there', options)),
    read('scan', 'dir', (connection, options) => first(connection.scan('dir', options))),
    read('position', undefined, (connection, options) => connection.position(options)),
    read('identity', undefined, (connection, options) => connection.identity(options)),
    read(
      'watch',
      'dir/there',
      (connection, options) => first(connection.watch('dir/there', options)),
      'watch',
    ),
  ];
  if (history)
    methods.push(
      read('history', 'dir/there', (connection, options) => first(connection.history('dir/there', options))),
    );
  if (watchRecursive) {
    methods.push(
      read(
        'watchRecursive',
        'dir',
        (connection, options) => first(connection.watchRecursive('dir', options)),
        'watch',
      ),
    );
  }
  return methods;
}

function writeMethods(there: Version, doomed: Version): Method[] {
  const write = (name: string, path: string | undefined, call: Method['call']): Method => ({
    name,
    kind: 'write',
    path,
    call,
  });
  const bytes = utf8('written');
  return [
    write('create', 'dir/new', (connection, options) => connection.create('dir/new', bytes, options)),
    write('update', 'dir/there', (connection, options) =>
      connection.update('dir/there', bytes, there, options),
    ),
    write('unconditional update', 'dir/other', (connection, options) =>
      connection.update('dir/other', bytes, null, options),
    ),
    write('delete', 'dir/doomed', (connection, options) => connection.delete('dir/doomed', doomed, options)),
    write('unconditional delete', 'dir/doomed', (connection, options) =>
      connection.delete('dir/doomed', null, options),
    ),
    write('write', undefined, (connection, options) => connection.write([create('dir/batched')], options)),
  ];
}

function lockMethods(): Method[] {
  const reader = (
    name: string,
    path: string,
    call: Method['call'],
    kind: Method['kind'] = 'read',
  ): Method => ({
    name,
    kind,
    path,
    call,
  });
  const locker = (
    name: string,
    path: string,
    take: (connection: Connection, options?: CallOptions) => Promise<Lock>,
  ): Method => ({
    name,
    kind: 'lock',
    path,
    call: async (connection, options) => (await take(connection, options)).unlock(),
  });
  const election = 'elections/vtctld';
  return [
    reader('lockQueue', 'dir', (connection, options) => connection.lockQueue('dir', options)),
    reader('leader', election, (connection, options) => connection.leader('vtctld', options)),
    reader(
      'watchLeader',
      election,
      (connection, options) => first(connection.watchLeader('vtctld', options)),
      'watch',
    ),
    locker('lock', 'locked/waited', (connection, options) => connection.lock('locked/waited', 'x', options)),
    locker('lockWithTtl', 'locked/timed', (connection, options) =>
      connection.lockWithTtl('locked/timed', 'x', 30_000, options),
    ),
    locker('tryLock', 'locked/tried', (connection, options) =>
      connection.tryLock('locked/tried', 'x', options),
    ),
    locker('lockName', 'internal/named_locks/ks/a', (connection, options) =>
      connection.lockName('ks/a', 'x', options),
    ),
    locker('campaign', election, (connection, options) => connection.campaign('vtctld', 'x', options)),
  ];
}

/** Calls every method of `kinds` at once and hands each to `judge`; the first that is judged wrongly names itself. */
export async function forEachMethod(
  methods: readonly Method[],
  kinds: readonly Method['kind'][],
  judge: (method: Method) => Promise<unknown>,
): Promise<void> {
  const chosen = methods.filter((method) => kinds.includes(method.kind));
  must(chosen[0] ?? (kinds.length === 1 && kinds[0] === 'write' ? true : undefined), 'a method to try');
  await Promise.all(
    chosen.map(async (method) => {
      try {
        await judge(method);
      } catch (error) {
        if (error instanceof Error) error.message = `${method.name}: ${error.message}`;
        throw error;
      }
    }),
  );
}
