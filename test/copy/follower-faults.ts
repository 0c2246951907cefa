import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import {
  type Call,
  DelegatingConnection,
  type Delivered,
  type IteratingCall,
} from '../../src/topo/wrappers/base.js';

/** Something to wait for. */
class Gate {
  open: () => void = () => {};
  fail: (error: unknown) => void = () => {};
  readonly passed = new Promise<void>((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });
}

/** Watches that are lost when a test says so, and then cannot be had for some tries. */
export class LosingWatches {
  #lost = new Gate();
  #refused = 0;
  #meanwhile: () => Promise<unknown> = async () => {};

  async lose(refused: number, meanwhile: () => Promise<unknown>): Promise<void> {
    this.#refused = refused;
    const done = new Gate();
    this.#meanwhile = () => meanwhile().then(done.open, done.fail);
    this.#lost.open();
    await done.passed;
  }

  of(store: Connection): Connection {
    const watches = this;
    return new (class extends DelegatingConnection {
      protected override async *aroundIteration<T extends Delivered>(
        call: IteratingCall,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => AsyncIterable<T>,
      ): AsyncGenerator<T> {
        if (call.method === 'watchRecursive') yield* watches.#watch(next(options));
        else yield* next(options);
      }
    })(store);
  }

  async *#watch<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    if (this.#refused > 0) {
      this.#refused -= 1;
      if (this.#refused === 1) await this.#meanwhile();
      throw new TopologyError(ErrorCode.Unavailable, 'no watch');
    }
    const lost = this.#lost;
    const iterator = items[Symbol.asyncIterator]();
    for (;;) {
      const item = await Promise.race([iterator.next(), lost.passed]);
      if (item === undefined) {
        this.#lost = new Gate();
        throw new TopologyError(ErrorCode.WatchLost, 'lost');
      }
      if (item.done === true) return;
      yield item.value;
    }
  }
}

/** Counts scans that came to their end. */
export class CountedScans {
  ended = 0;

  of(store: Connection): Connection {
    const counted = this;
    return new (class extends DelegatingConnection {
      protected override async *aroundIteration<T extends Delivered>(
        call: IteratingCall,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => AsyncIterable<T>,
      ): AsyncGenerator<T> {
        yield* next(options);
        if (call.method === 'scan') counted.ended += 1;
      }
    })(store);
  }
}

/** Does something to each write. */
abstract class Writes {
  of(store: Connection): Connection {
    const writes = this;
    return new (class extends DelegatingConnection {
      protected override around<T>(
        call: Call<T>,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => Promise<T>,
      ): Promise<T> {
        return call.kind === 'write' ? writes.write(call.method, () => next(options)) : next(options);
      }
    })(store);
  }

  protected abstract write<T>(method: string, send: () => Promise<T>): Promise<T>;
}

/** Writes hang for as long as a test wants it. */
export class Hanging extends Writes {
  #free = new Gate();

  constructor() {
    super();
    this.#free.open();
  }

  hang(): void {
    this.#free = new Gate();
  }

  goOn(): void {
    this.#free.open();
  }

  protected async write<T>(_method: string, send: () => Promise<T>): Promise<T> {
    await this.#free.passed;
    return send();
  }
}

/** The nth write fails, once. */
export class Failing extends Writes {
  #left: number;

  constructor(nth: number) {
    super();
    this.#left = nth;
  }

  protected async write<T>(_method: string, send: () => Promise<T>): Promise<T> {
    this.#left -= 1;
    if (this.#left === 0) throw new TopologyError(ErrorCode.Unavailable, 'nobody answers');
    return send();
  }
}

/** Loses answers, and lets something happen before it is told so. */
export class LosingAnswers extends Writes {
  left = 0;
  lost = 0;
  readonly #meanwhile: () => Promise<unknown>;

  constructor(meanwhile: () => Promise<unknown>) {
    super();
    this.#meanwhile = meanwhile;
  }

  protected async write<T>(_method: string, send: () => Promise<T>): Promise<T> {
    if (this.left === 0) return send();
    this.left -= 1;
    await send();
    this.lost += 1;
    await this.#meanwhile();
    throw new TopologyError(ErrorCode.OutcomeUnknown, 'no answer');
  }
}

/** From a moment on, one store lists nothing, and says that all is well: a lost right, a wrong member. */
export class EmptyListings {
  empty = false;
  readonly #scope: string;

  constructor(scope: string) {
    this.#scope = scope;
  }

  of(store: Connection, scope: string): Connection {
    if (scope !== this.#scope) return store;
    const isEmpty = () => this.empty;
    return new (class extends DelegatingConnection {
      protected override async *aroundIteration<T extends Delivered>(
        call: IteratingCall,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => AsyncIterable<T>,
      ): AsyncGenerator<T> {
        for await (const item of next(options))
          yield call.method === 'scan' && isEmpty() ? { ...item, records: [] } : item;
      }
    })(store);
  }
}
