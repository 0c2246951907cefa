import { connect } from './etcd2-support.js';

/** A process that uses a connection in every way, leaves calls and watches in flight, and closes it. */
const connection = await connect(process.argv[2] ?? '');
await connection.update('a', Buffer.from('x'), null);
await connection.listDir('');
const watching = connection.watch('a')[Symbol.asyncIterator]();
await watching.next();
const recursive = connection.watchRecursive('')[Symbol.asyncIterator]();
await recursive.next();
const pending = [watching.next(), recursive.next(), connection.get('a'), connection.position()];
await connection.close();
await Promise.allSettled(pending);
console.log('closed');
