import { encode } from '../../src/topo/codec.js';
import { compiled } from './compiled.js';
import { addressOf, copyOptions, SETTINGS, tablet } from './copy-ours.js';
import { alias, CELL, type Place } from './copy-place.js';

/** What a freeze took, in milliseconds by step, and all of it from the first lock to the end of the last check. */
export interface FreezeTimes {
  readonly steps: Readonly<Record<string, number>>;
  readonly frozenMs: number;
  /** Taking the seal off, and giving the locks back. */
  readonly releasedMs: number;
  readonly written: number;
  readonly quiesced: boolean;
}

/**
 * Copies, changes `changed` tablets of the source, and freezes it, in the code that is shipped, as the command does it.
 */
export async function freezeOnce(
  place: Place,
  changed: number,
  seal: 'auto' | 'never',
): Promise<FreezeTimes> {
  const { storesFor } = await compiled<typeof import('../../src/cli/stores.js')>('cli/stores.js');
  const { ledgersFor } = await compiled<typeof import('../../src/cli/freezing.js')>('cli/freezing.js');
  const { applyCopy, planCopy } = await compiled<typeof import('../../src/copy/copy.js')>('copy/copy.js');
  const { freeze } = await compiled<typeof import('../../src/copy/freeze.js')>('copy/freeze.js');
  const { Topology } = await compiled<typeof import('../../src/topo/topology.js')>('topo/topology.js');
  const source = await Topology.open({
    global: addressOf(place.from, 'global'),
    stores: storesFor(SETTINGS, 'lock'),
  });
  const destination = await Topology.open({
    global: addressOf(place.to, 'global'),
    stores: storesFor(SETTINGS, 'write'),
  });
  const options = copyOptions(place, source, destination);
  const ledgers = await ledgersFor(source, options);
  const prepared = await planCopy({ ...options, ledgers });
  await applyCopy(prepared, { ...options, ledgers });
  await change(place, changed, storesFor);

  const steps: Record<string, number> = {};
  let step = '';
  let since = performance.now();
  const next = (name: string) => {
    const now = performance.now();
    if (step !== '') steps[step] = now - since;
    step = name;
    since = now;
  };
  const { frozenMs, written, quiesced } = await freeze({
    ...options,
    ledgers,
    seal,
    before: prepared.plan,
    random: Math.random,
    timeoutMs: 120_000,
    onStep: (state) => next(state.step),
  });
  const releasedMs = performance.now() - since;
  await Promise.all([source.close(), destination.close()]);
  return { steps, frozenMs, releasedMs, written, quiesced };
}

/** Gives tablets another build tag. */
async function change(
  { from }: Place,
  count: number,
  storesFor: typeof import('../../src/cli/stores.js').storesFor,
): Promise<void> {
  const cell = await storesFor(SETTINGS, 'write').open(addressOf(from, CELL), CELL);
  const stamp = encode('topodata.Tablet', { tags: { changed: String(Date.now()) } });
  for (let uid = 1; uid <= count; uid++)
    await cell.update(`tablets/${alias(uid)}/Tablet`, Buffer.concat([tablet(uid), stamp]), null);
  await cell.close();
}
