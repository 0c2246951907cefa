import { connectPackageReads } from '../../src/zookeeper/package-reads.js';
import { readersOf } from './reader-processes.js';

/** A process that reads through the package, tells which process does it for it, and stays until it is killed, or closes and ends. */
const [servers = '', how = ''] = process.argv.slice(2);
const client = await connectPackageReads({ servers: [servers] }, { required: true });
await client.getData('/');
console.log(JSON.stringify(readersOf(process.pid)));
if (how === 'close') await client.close();
