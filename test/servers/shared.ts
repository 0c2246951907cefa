import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';

/**
 * A cluster that test cases use one after the other. A case that fails takes it along, so that what it has left does
 * not fail the next ones, which have a new one.
 */
export class SharedCluster<C extends Cluster = Cluster> {
  readonly #start: () => Promise<C>;
  #cluster: Promise<C> | undefined;

  constructor(start: () => Promise<C>) {
    this.#start = start;
  }

  /** The cluster that runs, or a new one. */
  get(): Promise<C> {
    this.#cluster ??= this.#start().catch((error: unknown) => {
      this.#cluster = undefined;
      throw error;
    });
    return this.#cluster;
  }

  /**
   * What `work` comes to with the cluster.
   *
   * @throws Error with what went wrong and the report of every member, when the work fails or takes longer than `limitMs`
   */
  async use<T>(limitMs: number, work: (cluster: C) => Promise<T>): Promise<T> {
    const cluster = await this.get();
    const timer = new AbortController();
    const late = sleep(limitMs, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no end after ${limitMs} ms`);
    });
    try {
      return await Promise.race([work(cluster), late]);
    } catch (error) {
      const report = await cluster.report();
      await this.stop();
      throw new Error(`${String(error)}\n${report}`, { cause: error });
    } finally {
      late.catch(() => {});
      timer.abort();
    }
  }

  /** Ends the cluster, if one runs. */
  async stop(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = undefined;
    await (await cluster?.catch(() => undefined))?.stop();
  }
}
