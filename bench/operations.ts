/**
 * `npm run bench -- operations [flags]`: operations per second of every store at 1, 16 and 64 in flight, by the
 * Connection as the commands open it and, beside it in the same run, by the raw client. docs/performance.md says what
 * is measured.
 *
 * Each store is measured in a process of its own, so that memory and compiled code do not mix.
 */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { loadBackend } from '../src/backends/registry.js';
import type { Implementation } from '../src/topo/address.js';
import { ErrorCode, isTopologyError } from '../src/topo/errors.js';
import { startConsul, startEtcd, startZooKeeper } from '../test/servers/index.js';
import {
  type CaseRounds,
  type Effort,
  type Entrant,
  measureCase,
  OPERATIONS,
  type Operation,
  planted,
  warmUp,
} from './lib/operations.js';
import { oursContender } from './lib/operations-ours.js';
import { RAW_CONTENDERS } from './lib/operations-raw.js';
import { type StoreReport, summarise, tableOf } from './lib/operations-report.js';

const HELP = `npm run bench -- operations [flags]

  --stores LIST       of ${'zk2, etcd2, consul, memory'} (default: all that are supported)
  --operations LIST   of ${OPERATIONS.join(', ')} (default: all)
  --in-flight LIST    operations in flight (default: 1,16,64)
  --rounds N          rounds that count, of raw client and Connection in turns (default: 15)
  --seconds S         length of a round (default: 0.15)
  --warm-up S         seconds for which each does an operation before its first round (default: 1.5)
  --fsync             servers that wait for the disk with every write, as real ones do: what that takes differs by more than
                      what is measured, from moment to moment
  --output text|json  (default: text)
  --profile FOLDER    write a CPU profile of each store's process there
  --help

All of it takes about eight minutes; \`--rounds 7 --seconds 0.1 --warm-up 0.5\` less than two.
`;

interface Place {
  readonly server: string;
  readonly version: string;
  stop(): Promise<void>;
}

const STARTERS = {
  zk2: async (fsync) => {
    const zookeeper = await startZooKeeper({ version: '3.8', javaFlags: ['-Xmx2g'], fsync });
    return placeOf(zookeeper.servers, zookeeper);
  },
  etcd2: async (fsync) => {
    const etcd = await startEtcd({ version: '3.5', fsync });
    return placeOf(etcd.servers, etcd);
  },
  consul: async (fsync) => {
    const consul = await startConsul({ version: '1.8', fsync });
    return placeOf(consul.servers, consul);
  },
  memory: async () => ({ server: 'etcd:bench', version: 'of etcd flavour', stop: async () => {} }),
} as const satisfies Partial<Record<Implementation, (fsync: boolean) => Promise<Place>>>;
type StoreName = keyof typeof STARTERS;

function isStore(name: string): name is StoreName {
  return name in STARTERS;
}

/** What a store's own process is to do. */
interface Order {
  readonly store: StoreName;
  readonly server: string;
  readonly operations: readonly Operation[];
  /** Operations in flight. */
  readonly levels: readonly number[];
  readonly effort: Effort;
}

const { values } = parseArgs({
  options: {
    stores: { type: 'string' },
    operations: { type: 'string', default: OPERATIONS.join(',') },
    'in-flight': { type: 'string', default: '1,16,64' },
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '0.15' },
    'warm-up': { type: 'string', default: '1.5' },
    output: { type: 'string', default: 'text' },
    fsync: { type: 'boolean', default: false },
    profile: { type: 'string' },
    order: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else if (values.order !== undefined) await carryOut(JSON.parse(values.order) as Order);
else await measureAll();

async function measureAll(): Promise<void> {
  const effort = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values['warm-up']),
  };
  const levels = values['in-flight'].split(',').map(Number);
  const wanted = values.operations.split(',');
  const operations = OPERATIONS.filter((operation) => wanted.includes(operation));
  const numbers = [...Object.values(effort), ...levels];
  if (operations.length !== wanted.length || !numbers.every((number) => number > 0)) {
    process.stderr.write(HELP);
    process.exitCode = 2;
    return;
  }
  const reports: StoreReport[] = [];
  for (const store of await storesWanted()) {
    const place = await STARTERS[store](values.fsync);
    try {
      const measured = await inChild({ store, server: place.server, operations, levels, effort });
      const report = { store, version: place.version, cases: measured.map(summarise) };
      if (values.output !== 'json') process.stdout.write(`${tableOf(report, effort)}\n`);
      reports.push(report);
    } finally {
      await place.stop();
    }
  }
  if (values.output === 'json')
    process.stdout.write(`${JSON.stringify({ effort, stores: reports }, null, 2)}\n`);
  if (reports.some(({ cases }) => cases.some(({ failure }) => failure !== undefined))) process.exitCode = 1;
}

/** Stores that were asked for, or all that this version supports. */
async function storesWanted(): Promise<StoreName[]> {
  const wanted = values.stores?.split(',') ?? Object.keys(STARTERS);
  const found: StoreName[] = [];
  for (const name of wanted) {
    if (!isStore(name)) throw new Error(`${name} is none of ${Object.keys(STARTERS).join(', ')}`);
    try {
      await loadBackend(name);
      found.push(name);
    } catch (error) {
      if (values.stores !== undefined || !isTopologyError(error, ErrorCode.Unsupported)) throw error;
    }
  }
  return found;
}

function placeOf(server: string, cluster: { readonly version: string; stop(): Promise<void> }): Place {
  return { server, version: cluster.version, stop: () => cluster.stop() };
}

function inChild(order: Order): Promise<CaseRounds[]> {
  const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const child = fork(import.meta.filename, ['--order', JSON.stringify(order)], {
    execArgv: [...process.execArgv, '--expose-gc', ...profiling],
  });
  const measured: CaseRounds[] = [];
  child.on('message', (message) => {
    measured.push(message as CaseRounds);
    process.stderr.write(
      `${order.store}: ${measured.length} of ${order.operations.length * order.levels.length}\r`,
    );
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve(measured);
      else reject(new Error(`the measurement of ${order.store} ended with ${code}`));
    });
  });
}

/** Measures one store, in this process. */
async function carryOut({ store, server, operations, levels, effort }: Order): Promise<void> {
  const root = store === 'consul' ? 'bench' : '/bench';
  const ours = await oursContender(store, server, root);
  const raw = await RAW_CONTENDERS[store]?.(server, root);
  const entrants: Entrant[] = [
    ...(raw === undefined ? [] : [{ name: 'raw', contender: raw } as const]),
    { name: 'ours', contender: ours },
  ];
  const field = { entrants, plant: ours.create };
  const most = Math.max(...levels);
  for (const path of planted(most)) await ours.create(path);
  for (const operation of operations) {
    try {
      await warmUp({ operation, inFlight: most }, field, effort.warmUpSeconds);
      for (const inFlight of levels) tell(await measureCase({ operation, inFlight }, field, effort));
    } catch (error) {
      tell({ operation, inFlight: most, rounds: [], failure: String(error) });
    }
  }
  await Promise.all(entrants.map(({ contender }) => contender.close()));
  process.disconnect();
}

function tell(measured: CaseRounds): void {
  process.send?.(measured);
}
