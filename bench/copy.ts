/**
 * `npm run bench -- copy [--directions A,B] [--records N,N] [--runs N] [--warm-up N] [--only STEP,STEP] [--profile FOLDER]`:
 * copies N tablets with the project's copy from one store to another, then once more when there is nothing to do, then compares
 * both; beside it, in the same run on the same servers, the raw floor: the same clients without logic, reading and writing at
 * once, then one after the other; and both sides read once, the tablets, then everything. `--only` leaves out the other of these steps: `floor`, `steps`,
 * `copy`, `scans`, `whole`, `again`, `verified`.
 *
 * Each measured run is a process of its own, so that memory and warm-up do not mix.
 */
import { parseArgs } from 'node:util';
import { inChild, measureHere, type Step } from './lib/copy-child.js';
import type { Place } from './lib/copy-place.js';
import { DIRECTIONS, type Direction, type Rows, report } from './lib/copy-report.js';
import { startStore } from './lib/copy-servers.js';

const MEASURED = ['floor', 'steps', 'copy', 'scans', 'whole', 'again', 'verified'] as const;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000,100000' },
    directions: { type: 'string', default: DIRECTIONS.join(',') },
    runs: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '1' },
    only: { type: 'string', default: MEASURED.join(',') },
    profile: { type: 'string' },
    step: { type: 'string' },
    place: { type: 'string' },
  },
});

/** The tree of the destination that a step is about: what is read a second time was written by the same program. */
const TREES = {
  floor: 'floor',
  steps: 'steps',
  copy: 'copy',
  scans: 'floor',
  whole: 'floor',
  again: 'copy',
  verified: 'copy',
} as const;

if (values.step !== undefined) {
  await measureHere(values.step as Step, JSON.parse(values.place ?? '{}') as Place);
} else {
  for (const direction of values.directions.split(','))
    for (const records of values.records.split(',')) await compare(direction as Direction, Number(records));
}

async function compare(direction: Direction, records: number): Promise<void> {
  const [from, to] = await Promise.all(direction.split('→').map((store) => startStore(store)));
  if (from === undefined || to === undefined) throw new Error(`no direction: ${direction}`);
  const rows: Rows = { floor: [], steps: [], copy: [], scans: [], whole: [], again: [], verified: [] };
  const warmUp = Number(values['warm-up']);
  const asked = values.only.split(',');
  const place = (name: string): Place => ({ from: from.at('source'), to: to.at(name), records });
  try {
    await inChild('plant', place(''), undefined);
    for (let run = 0; run < warmUp + Number(values.runs); run++) {
      for (const step of MEASURED.filter((each) => asked.includes(each))) {
        const measured = await inChild(step, place(`${TREES[step]}-${run}`), values.profile);
        if (run >= warmUp) rows[step].push(measured);
      }
    }
    report(direction, records, rows);
  } finally {
    await Promise.all([from.stop(), to.stop()]);
  }
}
