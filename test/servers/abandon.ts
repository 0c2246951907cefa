// Run by a test as a process of its own: starts a server, holds it, and waits to be killed.
import { startEtcd } from './etcd.js';

const cluster = await startEtcd({ version: '3.4' });
cluster.freeze();
console.log(String(cluster.member.pid()));
setInterval(() => {}, 60_000);
