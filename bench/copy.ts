/**
 * `npm run bench -- copy [--records N] [--runs N]`: copies N tablets from ZooKeeper 3.8 to etcd 3.4 with the project's
 * copy, and beside it, in the same run on the same servers, with a raw floor: the same clients, pipelined reads over
 * four connections, transactions of 128 puts, no logic. Prints both times, their ratio, and peak memory.
 *
 * Each measured run is a process of its own, so that memory and warm-up do not mix.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEtcd, startZooKeeper } from '../test/servers/index.js';
import { CONTENDERS, type ContenderName, type Place } from './lib/copy-contenders.js';

interface Measured {
  readonly milliseconds: number;
  readonly megabytes: number;
}

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '3' },
    contender: { type: 'string' },
    place: { type: 'string' },
  },
});
const records = Number(values.records);

if (values.contender !== undefined) {
  await measureHere(values.contender as ContenderName, JSON.parse(values.place ?? '{}') as Place);
} else {
  await compare();
}

/** Runs one contender in this process and prints what it took. */
async function measureHere(name: ContenderName, place: Place): Promise<void> {
  const started = performance.now();
  await CONTENDERS[name](place, records);
  const milliseconds = performance.now() - started;
  const megabytes = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`${JSON.stringify({ milliseconds, megabytes } satisfies Measured)}\n`);
}

async function compare(): Promise<void> {
  const [zookeeper, etcd] = await Promise.all([
    startZooKeeper({ version: '3.8', fsync: true }),
    startEtcd({ version: '3.4', fsync: true }),
  ]);
  try {
    const source: Place = { zookeeper: zookeeper.servers, etcd: etcd.servers, root: '' };
    await inChild('plant', source);
    const times: Record<'floor' | 'copy', Measured[]> = { floor: [], copy: [] };
    for (let run = 0; run <= Number(values.runs); run++) {
      for (const name of ['floor', 'copy'] as const) {
        const measured = await inChild(name, { ...source, root: `/${name}-${run}` });
        // The first round warms the servers' caches and the JVM.
        if (run > 0) times[name].push(measured);
      }
    }
    report(best(times.floor), best(times.copy));
  } finally {
    await Promise.all([zookeeper.stop(), etcd.stop()]);
  }
}

function best(measured: readonly Measured[]): Measured {
  return measured.reduce((a, b) => (a.milliseconds <= b.milliseconds ? a : b));
}

function report(floor: Measured, copy: Measured): void {
  const line = (name: string, { milliseconds, megabytes }: Measured) =>
    console.log(
      `${name.padEnd(12)} ${milliseconds.toFixed(0).padStart(8)} ms  peak memory ${megabytes.toFixed(0)} MiB`,
    );
  console.log(`zk2 → etcd2, ${records} tablets, best of ${values.runs} runs`);
  line('raw floor', floor);
  line('copy', copy);
  console.log(`ratio        ${(copy.milliseconds / floor.milliseconds).toFixed(2)}`);
}

/** Runs a contender in a process of its own. */
function inChild(name: ContenderName, place: Place): Promise<Measured> {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), '--records', String(records)];
  const child = spawn(process.execPath, [...args, '--contender', name, '--place', JSON.stringify(place)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.trim().split('\n').at(-1) ?? '') as Measured);
      else reject(new Error(`${name} ended with ${code}: ${output}`));
    });
  });
}
