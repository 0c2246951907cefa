import type { CallOptions, Capabilities, Connection } from '../../../src/topo/connection.js';
import { type Call, type Change, DelegatingConnection } from '../../../src/topo/wrappers/base.js';

/** Stands before each write. */
export type BeforeWrite = <T>(send: () => Promise<T>, changes: readonly Change[]) => Promise<T>;

/** A store that takes few operations at once: many places to fail at. */
export class SmallBatches extends DelegatingConnection {
  readonly #maxOps: number;
  readonly #before: BeforeWrite;

  constructor(inner: Connection, maxOps: number, before: BeforeWrite = (send) => send()) {
    super(inner);
    this.#maxOps = maxOps;
    this.#before = before;
  }

  override get capabilities(): Capabilities {
    const { capabilities } = this.inner;
    return { ...capabilities, batch: { ...capabilities.batch, maxOps: this.#maxOps } };
  }

  protected override around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    return call.kind === 'write' ? this.#before(() => next(options), call.changes) : next(options);
  }
}
