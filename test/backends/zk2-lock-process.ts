import { once } from 'node:events';
import { openZk2 } from './zk2-subject.js';

/** A process that holds a lock, says so, says when it is lost, and then ends by itself. */
const [servers = '', root = ''] = process.argv.slice(2);
const connection = await openZk2(servers, root, { lockTtlMs: 1_000 });
const lock = await connection.lockName('n', 'the process');
console.log('held');
if (!lock.lost.aborted) await once(lock.lost, 'abort');
console.log('lost');
await connection.close();
