/**
 * `npm run bench -- lint [--tablets N,N] [--keyspaces N] [--runs N]`: looks for what is wrong in a made-up topology of N tablets in two
 * cells, of which no store holds anything, and beside it, in the same run, makes and reads its records without looking at them. Each is a
 * process of its own. Prints the median of the time, and the memory of the largest.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { NEWEST } from '../src/graph/target.js';
import { lint } from '../src/lint/lint.js';
import { systemClock } from '../src/topo/clock.js';
import { Topology } from '../src/topo/topology.js';
import { madeUpStores, type Shape, shardsOf } from './lib/lint-store.js';

const { values } = parseArgs({
  options: {
    tablets: { type: 'string', default: '100000,1000000' },
    keyspaces: { type: 'string', default: '100' },
    runs: { type: 'string', default: '1' },
    step: { type: 'string' },
  },
});

const STEPS = ['read', 'lint'] as const;

const shapeOf = (tablets: number): Shape => ({
  tablets,
  keyspaces: Number(values.keyspaces),
  cells: ['zone1', 'zone2'],
  each: 3,
});

async function measureHere(step: string, shape: Shape): Promise<void> {
  const global = { implementation: 'etcd2', server: 'made.example:2379', root: '/made/global' } as const;
  const topology = await Topology.open({ global, stores: madeUpStores(shape) });
  const began = performance.now();
  const found = step === 'lint' ? await linted(topology) : await read(topology);
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(JSON.stringify({ seconds, mib: process.resourceUsage().maxRSS / 1024, ...found }));
}

async function read(topology: Topology) {
  let records = 0;
  for await (const page of topology.global.scan('')) records += page.records.length;
  for (const cell of await topology.cells())
    for await (const page of (await topology.cell(cell)).scan('')) records += page.records.length;
  return { records };
}

async function linted(topology: Topology) {
  const { signal } = new AbortController();
  const findings = lint({
    ...{ topology, cells: [], target: NEWEST, lockAgeMs: 3_600_000, clock: systemClock, signal },
  });
  const ids: Record<string, number> = {};
  for (;;) {
    const next = await findings.next();
    if (next.done === true)
      return { records: next.value.reduce((sum, store) => sum + store.records, 0), findings: ids };
    ids[next.value.id] = (ids[next.value.id] ?? 0) + 1;
  }
}

if (values.step !== undefined) await measureHere(values.step, shapeOf(Number(values.tablets)));
else
  for (const tablets of values.tablets.split(',').map(Number)) {
    process.stdout.write(
      `${tablets} tablets, ${shardsOf(shapeOf(tablets)) * Number(values.keyspaces)} shards\n`,
    );
    for (const step of STEPS) {
      const all: { seconds: number; mib: number }[] = [];
      for (let run = 0; run < Number(values.runs); run++) {
        const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--step', step];
        const more = ['--tablets', `${tablets}`, '--keyspaces', values.keyspaces];
        const { stdout } = await promisify(execFile)(process.execPath, [...args, ...more]);
        all.push(JSON.parse(stdout));
      }
      const [middle] = all.toSorted((a, b) => a.seconds - b.seconds).slice(Math.floor(all.length / 2));
      process.stdout.write(
        `  ${step} ${JSON.stringify({ ...middle, mib: Math.max(...all.map(({ mib }) => mib)) })}\n`,
      );
    }
  }
