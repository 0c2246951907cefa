import { connect } from './etcd2-support.js';

/** A process that uses a connection in every way, leaves calls and watches in flight, and closes it. */
const connection = await connect(process.argv[2] ?? '');
await connection.update('a', Buffer.from('x'), null);
await connection.listDir('');
const watching = connection.watch('a')[Symbol.asyncIterator]();
await watching.next();
const recursive = connection.watchRecursive('')[Symbol.asyncIterator]();
await recursive.next();
await (await connection.lockName('given back', '')).unlock();
const held = await connection.lockName('held', '');
const leading = connection.watchLeader('e')[Symbol.asyncIterator]();
await leading.next();
const pending: Promise<unknown>[] = [
  watching.next(),
  recursive.next(),
  connection.get('a'),
  connection.position(),
];
pending.push(
  leading.next(),
  connection.lockName('held', 'waits'),
  connection.lockName('new', ''),
  held.check(),
);
const settled = Promise.allSettled(pending);
await connection.close();
await settled;
console.log('closed');
