import type { CallOptions, Connection } from '../../src/topo/connection.js';
import type { Version } from '../../src/topo/version.js';
import type { Context } from './sentence.js';
import { create, first, must, utf8 } from './tools.js';

/** One method of the contract, called in a way that would go well on {@link methodsFixture}. */
export interface Method {
  readonly name: string;
  readonly kind: 'read' | 'write' | 'watch';
  /** Path that its errors name. */
  readonly path: string | undefined;
  call(connection: Connection, options?: CallOptions): Promise<unknown>;
}

/** Makes what the methods work on, and lists those that this subject has. */
export async function methodsFixture({ writer, capabilities }: Context): Promise<Method[]> {
  const version = await writer.create('dir/there', utf8('there'));
  const doomed = await writer.create('dir/doomed', utf8('doomed'));
  const methods = [...readMethods(capabilities.watchRecursive), ...writeMethods(version, doomed)];
  return methods.filter((method) => {
    if (method.kind === 'write' && capabilities.readOnly) return false;
    return method.name !== 'write' || capabilities.batch.maxOps > 0;
  });
}

function readMethods(watchRecursive: boolean): Method[] {
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
    read(
      'watch',
      'dir/there',
      (connection, options) => first(connection.watch('dir/there', options)),
      'watch',
    ),
  ];
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
