/**
 * npm run bench -- zookeeper [--quick]
 *
 * The project's ZooKeeper client beside the `zookeeper` package (its raw calls, which are its fastest form), against one
 * real server. Each client runs in a process of its own, one after the other in turns; the better of its rounds counts.
 * Values of 300 bytes. In flight is counted per connection.
 */
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ZooKeeperClient } from '../src/zookeeper/client.js';
import { loadAddon, type NativeCalls } from '../src/zookeeper/native-addon.js';
import { connectOwnClient } from '../src/zookeeper/own.js';
import { startZooKeeper } from '../test/servers/index.js';
import { nativeClientBuilt } from '../test/support/native.js';

const QUICK = process.argv.includes('--quick');
const ROUNDS = QUICK ? 1 : 2;
const NODES = QUICK ? 5_000 : 10_000;
const VALUE = Buffer.alloc(300, 'v');
const ACL = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const LABEL_WIDTH = 40;

interface Result {
  readonly label: string;
  /** Nodes read or written per second. */
  readonly rate: number;
  /** CPU seconds of the client's process per 100,000 nodes. */
  readonly cpu: number;
}
interface Report {
  readonly results: readonly Result[];
  readonly peakRssMiB: number;
}

/** What both clients can do, as a benchmark calls it. */
interface Subject {
  get(path: string): Promise<unknown>;
  create(path: string): Promise<unknown>;
  readonly batches: ZooKeeperClient | undefined;
  close(): void | Promise<void>;
}

async function ownSubject(servers: string): Promise<Subject> {
  const client = await connectOwnClient({ servers: [servers], sessionTimeoutMs: 30_000 });
  return {
    get: (path) => client.getData(path),
    create: (path) => client.create({ path, data: VALUE, acl: ACL }),
    batches: client,
    close: () => client.close(),
  };
}

async function packageSubject(servers: string): Promise<Subject> {
  const handle = new (await loadAddon())({});
  const connected = new Promise<void>((resolve) => void handle.on('connect', resolve));
  const { native } = handle;
  native.init({ connect: servers, timeout: 30_000, response_counter_limit: 1_000_000_000 });
  await connected;
  const promised = (call: (native: NativeCalls, done: (code: number) => void) => number): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (code: number): void => (code === 0 ? resolve() : reject(new Error(`code ${code}`)));
      const code = call(native, done);
      if (code !== 0) done(code);
    });
  return {
    get: (path) => promised((calls, done) => calls.a_get(path, false, done)),
    create: (path) => promised((calls, done) => calls.a_create(path, VALUE, 0, done)),
    batches: undefined,
    close: () => void handle.close(),
  };
}

/** Runs `count` operations, `inFlight` at a time on each connection. */
async function measure(
  label: string,
  connections: readonly Subject[],
  inFlight: number,
  count: number,
  nodesEach: number,
  operation: (connection: Subject, i: number) => Promise<unknown>,
): Promise<Result> {
  let next = 0;
  const worker = async (connection: Subject): Promise<void> => {
    for (let i = next++; i < count; i = next++) await operation(connection, i);
  };
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await Promise.all(connections.flatMap((each) => Array.from({ length: inFlight }, () => worker(each))));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const nodes = count * nodesEach;
  return { label, rate: nodes / seconds, cpu: ((user + system) / 1e6 / nodes) * 100_000 };
}

const pathOf = (i: number): string => `/bench/nodes/${i % NODES}`;

/** Lets the client's own code be compiled before anything is timed. */
async function warmUp(
  connect: (servers: string) => Promise<Subject>,
  servers: string,
  folder: string,
): Promise<void> {
  const subject = await connect(servers);
  const parent = `${folder}/warm`;
  await subject.create(parent);
  await measure('', [subject], 16, NODES, 1, (c, i) => c.get(pathOf(i)));
  await measure('', [subject], 16, NODES / 5, 1, (c, i) => c.create(`${parent}/${i}`));
  await subject.close();
}

async function measureAll(kind: string, servers: string, folder: string): Promise<Result[]> {
  const results: Result[] = [];
  const subject = kind === 'own' ? ownSubject : packageSubject;
  await warmUp(subject, servers, folder);
  for (const count of [1, 4]) {
    const connections = await Promise.all(Array.from({ length: count }, () => subject(servers)));
    const [first] = connections;
    if (first === undefined) continue;
    const name = `${count} connection${count === 1 ? '' : 's'}`;
    for (const inFlight of [1, 64, 256]) {
      const total = inFlight === 1 ? NODES / 4 : NODES;
      const where = `${name}, ${inFlight} in flight`;
      results.push(
        await measure(`get, ${where}`, connections, inFlight, 2 * total, 1, (c, i) => c.get(pathOf(i))),
      );
      const parent = `${folder}/c${count}-${inFlight}`;
      await first.create(parent);
      const create = (c: Subject, i: number): Promise<unknown> => c.create(`${parent}/${i}`);
      results.push(await measure(`create, ${where}`, connections, inFlight, total, 1, create));
    }
    if (first.batches !== undefined) results.push(...(await measureBatches(name, connections, folder)));
    for (const connection of connections) await connection.close();
  }
  return results;
}

async function measureBatches(
  name: string,
  connections: readonly Subject[],
  folder: string,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const size of [100, 500]) {
    const parent = `${folder}/m${connections.length}-${size}`;
    await connections[0]?.create(parent);
    const multi = (c: Subject, batch: number): Promise<unknown> | undefined =>
      c.batches?.multi(
        Array.from({ length: size }, (_, i) => ({
          type: 'create',
          path: `${parent}/${batch * size + i}`,
          data: VALUE,
          acl: ACL,
        })),
      );
    results.push(
      await measure(
        `multi of ${size}, ${name}, 4 in flight`,
        connections,
        4,
        NODES / size,
        size,
        async (c, i) => multi(c, i),
      ),
    );
  }
  const size = 128;
  const reads = (batch: number): { type: 'getData'; path: string }[] =>
    Array.from({ length: size }, (_, i) => ({ type: 'getData', path: pathOf(batch * size + i) }));
  const count = Math.floor((5 * NODES) / size);
  results.push(
    await measure(`multiRead of ${size}, ${name}, 4 in flight`, connections, 4, count, size, async (c, i) =>
      c.batches?.multiRead(reads(i)),
    ),
  );
  return results;
}

async function child(kind: string, servers: string, folder: string): Promise<void> {
  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 50);
  const results = await measureAll(kind, servers, folder);
  clearInterval(sampler);
  const report: Report = { results, peakRssMiB: peak / 1024 / 1024 };
  process.send?.(report);
  process.disconnect();
}

function runChild(kind: string, servers: string, folder: string): Promise<Report> {
  return new Promise((resolve, reject) => {
    const process_ = fork(import.meta.filename, [
      '--child',
      kind,
      servers,
      folder,
      ...(QUICK ? ['--quick'] : []),
    ]);
    let report: Report | undefined;
    process_.on('message', (message) => {
      report = message as Report;
    });
    process_.on('exit', (code) => {
      if (report === undefined) reject(new Error(`the measurement of ${kind} ended with ${code}`));
      else resolve(report);
    });
  });
}

const best = (reports: readonly Report[], label: string): Result | undefined =>
  reports
    .flatMap(({ results }) => results.filter((each) => each.label === label))
    .sort((a, b) => b.rate - a.rate)[0];

async function parent(): Promise<void> {
  const zookeeper = await startZooKeeper({ version: '3.8', javaFlags: ['-Xmx2g'], fsync: true });
  try {
    const client = await connectOwnClient({ servers: [zookeeper.servers] });
    for (const path of ['/bench', '/bench/nodes']) await client.create({ path, data: null, acl: ACL });
    for (let i = 0; i < NODES; i += 500) {
      await client.multi(
        Array.from({ length: 500 }, (_, j) => ({
          type: 'create',
          path: pathOf(i + j),
          data: VALUE,
          acl: ACL,
        })),
      );
    }
    const kinds = nativeClientBuilt() ? ['package', 'own'] : ['own'];
    const reports: Record<string, Report[]> = { package: [], own: [] };
    // The first round warms the server's virtual machine up and does not count.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const kind of kinds) {
        const folder = `/bench/${kind}${round}`;
        await client.create({ path: folder, data: null, acl: ACL });
        const report = await runChild(kind, zookeeper.servers, folder);
        if (round > 0) reports[kind]?.push(report);
        await sleep(200);
      }
    }
    await client.close();
    print(zookeeper.version, reports['own'] ?? [], reports['package'] ?? []);
  } finally {
    await zookeeper.stop();
  }
}

function print(version: string, own: readonly Report[], other: readonly Report[]): void {
  const line = (...cells: readonly (string | number)[]): void =>
    console.log(
      cells
        .map((cell, i) => (i === 0 ? String(cell).padEnd(LABEL_WIDTH) : String(cell).padStart(12)))
        .join(''),
    );
  console.log(`ZooKeeper ${version}, fsync on, ${NODES} nodes of ${VALUE.length} bytes, best of ${ROUNDS}`);
  line('nodes per second', 'own', 'package', 'ratio', 'own cpu', 'package cpu');
  for (const { label } of own[0]?.results ?? []) {
    const mine = best(own, label);
    const theirs = best(other, label);
    if (mine === undefined) continue;
    const ratio = theirs === undefined ? '' : `${(mine.rate / theirs.rate).toFixed(2)}x`;
    const theirRate = theirs === undefined ? 'cannot' : Math.round(theirs.rate);
    line(label, Math.round(mine.rate), theirRate, ratio, mine.cpu.toFixed(2), theirs?.cpu.toFixed(2) ?? '');
  }
  for (const kind of ['get', 'create']) {
    const top = (reports: readonly Report[], connections: string): number =>
      Math.max(
        ...reports.flatMap(({ results }) =>
          results.filter(({ label }) => label.startsWith(`${kind}, ${connections}`)).map(({ rate }) => rate),
        ),
      );
    const [mine, theirs] = [top(own, '4'), Math.max(top(other, '1'), top(other, '4'))];
    console.log(
      `${kind}s: best over four connections ${Math.round(mine)}/s, the package's best ${Math.round(theirs)}/s: ` +
        `${(mine / theirs).toFixed(2)}x`,
    );
  }
  const peak = (reports: readonly Report[]): number =>
    Math.round(Math.max(0, ...reports.map((each) => each.peakRssMiB)));
  console.log(`peak RSS of the client's process: own ${peak(own)} MiB, package ${peak(other)} MiB`);
  console.log('cpu: seconds of the client per 100,000 nodes; client and server share the machine');
}

const [, , mode, kind, servers, folder] = process.argv;
if (mode === '--child') await child(kind ?? '', servers ?? '', folder ?? '');
else await parent();
