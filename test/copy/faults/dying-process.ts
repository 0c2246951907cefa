import { loadBackend } from '../../../src/backends/registry.js';
import { main } from '../../../src/cli/main.js';
import { SmallBatches } from './small-batches.js';

/** What a process that waits is told to do. */
export interface Job {
  readonly args: readonly string[];
  /** Where it writes to. */
  readonly implementation: 'zk2' | 'etcd2' | 'consul' | 'file';
  /** Number of the write at which it is killed, from 1; 0: never. */
  readonly at: number;
  /** Whether that write is carried out first. */
  readonly applied: boolean;
  readonly maxOps: number;
}

/** The tool, loaded and ready: it runs once it is told what to do, and may kill itself. Tells how many writes it sent. */
process.once('message', (message) => {
  void run(message as Job);
});
process.send?.('ready');

async function run({ args, implementation, at, applied, maxOps }: Job): Promise<void> {
  const backend = await loadBackend(implementation);
  const connect = backend.connect.bind(backend);
  let writes = 0;
  const dieAt = async <T>(send: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes !== at) return send();
    if (applied) await send().catch(() => {});
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  };
  backend.connect = async (address, settings) =>
    new SmallBatches(await connect(address, settings), maxOps, dieAt);
  process.argv.push(...args);
  await main();
  process.send?.({ writes }, () => process.disconnect());
}
