import type { Connection } from '../topo/connection.js';
import type { Watched } from '../topo/watches.js';
import type { PatrolPart } from './patrol-part.js';
import type { Authority } from './settle.js';

/** One store of a part, watched. */
export class PatrolSide implements Watched {
  readonly part: PatrolPart;
  readonly side: Authority;
  readonly #store: Connection;

  constructor(part: PatrolPart, side: Authority, store: Connection) {
    this.part = part;
    this.side = side;
    this.#store = store;
  }

  get scope(): string {
    return `${this.side}, ${this.part.scope}`;
  }

  async watch(signal: AbortSignal, synced: () => void): Promise<void> {
    const isLeft = this.side === this.part.leftSide;
    if (isLeft) this.part.left.begin();
    let isSynced = false;
    for await (const event of this.#store.watchRecursive('', { signal })) {
      if (event.type === 'record') this.part.told(this.side, event.path, event.value, isSynced);
      else if (!isSynced) {
        isSynced = true;
        if (isLeft) this.part.delivered();
        synced();
      }
    }
  }
}
