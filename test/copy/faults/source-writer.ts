import type { Connection } from '../../../src/topo/connection.js';
import { isTopologyError } from '../../../src/topo/errors.js';
import { eventually, pause, utf8 } from '../../conformance/tools.js';
import { keepWriting } from '../../conformance/writers.js';
import { RECOVERY_MS } from '../../failures/ensemble.js';

const BETWEEN_MS = 20;
const CHANGED = ['metadata/owner', 'metadata/moved/1', 'metadata/moved/2'];
const TOGGLED = 'metadata/toggled';
/** Records that a vttablet does not need, and that may be changed or missing at any time. */
export const VOLATILE = /^(metadata|custom)\//;

/** Whoever goes on using the source: records change, come and go there. */
export class SourceWriter {
  readonly #stores: readonly Connection[];
  readonly #writing: { stop: () => Promise<void> };
  acknowledged = 0;

  /** Begins at once, in each of these stores of the source. */
  constructor(stores: readonly Connection[]) {
    this.#stores = stores;
    this.#writing = keepWriting(async (i) => {
      for (const store of stores) {
        await put(store, CHANGED[i % CHANGED.length] ?? '', `changed ${i}`);
        this.acknowledged += 1;
        if (i % 7 === 0) await put(store, TOGGLED, `there ${i}`);
        if (i % 7 === 3) await store.delete(TOGGLED, null, within()).catch(unlessAbsent);
        await pause(BETWEEN_MS);
      }
    });
  }

  /** Ends it. What came and went is there for good. */
  async stop(): Promise<void> {
    await this.#writing.stop();
    for (const store of this.#stores)
      await eventually('the last write', () => put(store, TOGGLED, 'there for good'), RECOVERY_MS);
  }
}

function within() {
  return { deadline: Date.now() + 2_000 };
}

async function put(store: Connection, path: string, text: string): Promise<void> {
  await store.update(path, utf8(text), null, within());
}

function unlessAbsent(error: unknown): void {
  if (!isTopologyError(error, 'NoNode')) throw error;
}
