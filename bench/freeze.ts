/**
 * `npm run bench -- freeze [--directions A,B] [--records N] [--changed N] [--runs N]`: how long a source of N tablets stands still that
 * was copied before, and of which some were changed since; with a seal where the source's server can be sealed, and without.
 */
import { parseArgs } from 'node:util';
import { plant } from './lib/copy-ours.js';
import type { Place } from './lib/copy-place.js';
import { startStore } from './lib/copy-servers.js';
import { type FreezeTimes, freezeOnce } from './lib/freeze-ours.js';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    changed: { type: 'string', default: '1000' },
    directions: { type: 'string', default: 'zk2→etcd2,etcd2→etcd2' },
    runs: { type: 'string', default: '3' },
  },
});
const [records, changed] = [Number(values.records), Number(values.changed)];

for (const direction of values.directions.split(',')) await measure(direction);

async function measure(direction: string): Promise<void> {
  const [from, to] = await Promise.all(direction.split('→').map((store) => startStore(store)));
  if (from === undefined || to === undefined) throw new Error(`no direction: ${direction}`);
  try {
    const place = (name: string): Place => ({ from: from.at('source'), to: to.at(name), records });
    await plant(place(''));
    const seals = direction.startsWith('zk2') ? (['never', 'auto'] as const) : (['never'] as const);
    for (const seal of seals)
      for (let run = 1; run <= Number(values.runs); run++)
        print(direction, await freezeOnce(place('copy'), changed, seal));
  } finally {
    await Promise.all([from.stop(), to.stop()]);
  }
}

function print(direction: string, { steps, frozenMs, releasedMs, written, quiesced }: FreezeTimes): void {
  const ms = (each: number) => `${each.toFixed(0)} ms`;
  const parts = Object.entries(steps).map(([name, took]) => `${name} ${ms(took)}`);
  console.log(
    `${direction}, ${records} tablets, ${written} changed, ${quiesced ? 'sealed' : 'not sealed'}: frozen ${ms(frozenMs)} (${parts.join(', ')}), given back in ${ms(releasedMs)}`,
  );
}
