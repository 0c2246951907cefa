import { connect } from './consul-support.js';

/** A process that uses a connection in every way, leaves calls, watches and a lock, and closes it. */
const connection = await connect(process.argv[2] ?? '');
await connection.update('a/b', Buffer.from('x'), null);
await connection.listDir('');
const watching = connection.watch('a/b')[Symbol.asyncIterator]();
await watching.next();
const recursive = connection.watchRecursive('')[Symbol.asyncIterator]();
await recursive.next();
await connection.lock('a', 'never given back');
const waiting = connection.lock('a', 'never got');
const pending = [waiting, watching.next(), recursive.next(), connection.get('a/b'), connection.position()];
const ended = Promise.allSettled(pending);
await connection.close();
await ended;
console.log('closed');
