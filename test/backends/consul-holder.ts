import { connect } from './consul-support.js';

// Run by a test as a process of its own: takes a lock, and waits to be killed.
const [servers = '', root = ''] = process.argv.slice(2);
await (await connect(servers, root)).lock('keyspaces/ks', 'of a process that is killed');
console.log('held');
