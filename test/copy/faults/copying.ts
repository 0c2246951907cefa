import { withJournal } from '../../../src/cli/copying.js';
import { applyCopy, type CopyResult, planCopy } from '../../../src/copy/copy.js';
import { identitiesOf } from '../../../src/copy/identities.js';
import { Journal } from '../../../src/copy/journal.js';
import type { CopyOptions } from '../../../src/copy/options.js';
import { formatAddress, parseAddress } from '../../../src/topo/address.js';
import type { Stores } from '../../../src/topo/backend.js';
import { systemClock } from '../../../src/topo/clock.js';
import type { CallOptions, Connection } from '../../../src/topo/connection.js';
import { GLOBAL, Topology } from '../../../src/topo/topology.js';
import { DelegatingConnection, type Delivered, type IteratingCall } from '../../../src/topo/wrappers/base.js';
import { type Places, type Wraps, wrapped } from '../followers.js';
import { SmallBatches } from './small-batches.js';

/** Operations of one transaction: few, so that a copy has many writes. */
const MAX_OPS = 4;

/** A copy that something happens to. */
export interface Disturbed {
  readonly places: Places;
  /** The file of its journal, for those who go on with it. */
  readonly journal: string;
  readonly wraps: Wraps;
}

/** Copies as the command does with `--journal` and `--allow-extra`. */
export async function copyDisturbed({ places, journal, wraps }: Disturbed): Promise<CopyResult> {
  const open = (place: (scope: string) => string, stores: Stores) =>
    Topology.open({ global: parseAddress(place(GLOBAL)), stores });
  const source = await open(places.source, wrapped('read', wraps.source, wraps.settings));
  const destination = await open(places.destination, wrapped('write', wraps.destination, wraps.settings));
  const known = Journal.open(journal, {
    from: formatAddress(source.address),
    to: formatAddress(destination.address),
  });
  const options: CopyOptions = withJournal(
    {
      source,
      destination,
      rule: { given: new Map(), root: places.cellRoot },
      clock: systemClock,
      concurrency: 4,
      overrules: { extra: true },
    },
    known,
    false,
  );
  try {
    const prepared = await planCopy(options);
    known.begin(false, await identitiesOf(prepared.parts, options), prepared);
    const result = await applyCopy(prepared, options);
    known.done(prepared.plan);
    return result;
  } finally {
    known.close();
    await Promise.all([source.close(), destination.close()]);
  }
}

/** What the command is given to copy from and to the same places, and to go on with the same journal. */
export function copyArgs({ source, destination, cellRoot }: Places, journal: string): string[] {
  return [
    ...['copy', source(GLOBAL), destination(GLOBAL), '--to-cell-root', cellRoot],
    ...['--allow-extra', '--timeout', '5', '--journal', journal],
  ];
}

/** What a store is wrapped in. */
type Wrap = NonNullable<Wraps['destination']>;

/**
 * Lets something happen once, before the first write for which it is time (the nth, counted over all stores): those that were sent
 * before may be under way then, and all others go off together afterwards. `paths`: what that write is about.
 */
export function beforeWrite(
  isTime: (nth: number) => boolean,
  work: (scope: string, paths: readonly string[]) => Promise<unknown>,
  disturb: (store: Connection) => Connection = (store) => store,
): Wrap {
  let writes = 0;
  let happened: Promise<unknown> | undefined;
  return (store, scope) =>
    new SmallBatches(disturb(store), MAX_OPS, async (send, changes) => {
      writes += 1;
      if (happened !== undefined || isTime(writes)) {
        happened ??= work(
          scope,
          changes.map(({ path }) => path),
        );
        await happened;
      }
      return send();
    });
}

/** Lets something happen once, when the first page of the first scan was read. */
export function duringScan(work: () => Promise<unknown>): Wrap {
  let isDone = false;
  const once = async () => {
    if (isDone) return;
    isDone = true;
    await work();
  };
  return (store) =>
    new (class extends DelegatingConnection {
      protected override async *aroundIteration<T extends Delivered>(
        call: IteratingCall,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => AsyncIterable<T>,
      ): AsyncGenerator<T> {
        for await (const item of next(options)) {
          yield item;
          if (call.method === 'scan') await once();
        }
      }
    })(store);
}
