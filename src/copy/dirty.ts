/** What is known of a path that may differ. */
export interface Dirty {
  readonly path: string;
  /** Since when, in milliseconds. */
  readonly since: number;
  /** Whether the source was told to have no record there. */
  readonly gone: boolean;
}

/** Paths of one scope that may differ, each once: those that wait, and those that are being looked at. */
export class DirtyPaths {
  readonly #waiting = new Map<string, Dirty>();
  readonly #taken = new Map<string, Dirty>();

  /** A path may differ since `now`; one that waits already keeps its time. */
  add(path: string, gone: boolean, now: number): void {
    this.#waiting.set(path, { path, gone, since: this.#waiting.get(path)?.since ?? now });
  }

  /** Takes out the paths that are gone from the source, or all others; {@link done} or {@link back} ends it for each. */
  take(gone: boolean): Dirty[] {
    const taken = [...this.#waiting.values()].filter((each) => each.gone === gone);
    for (const each of taken) {
      this.#waiting.delete(each.path);
      this.#taken.set(each.path, each);
    }
    return taken;
  }

  /** A path that was taken is equal. */
  done({ path }: Dirty): void {
    this.#taken.delete(path);
  }

  /** A path that was taken waits again; what was told of it meanwhile stays. */
  back(dirty: Dirty): void {
    this.#taken.delete(dirty.path);
    this.#waiting.set(dirty.path, {
      ...dirty,
      gone: this.#waiting.get(dirty.path)?.gone ?? dirty.gone,
    });
  }

  get size(): number {
    return this.#waiting.size + this.#taken.size;
  }

  /** Since when the path waits that waits longest; undefined when there is none. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const paths of [this.#waiting, this.#taken])
      for (const { since } of paths.values()) if (oldest === undefined || since < oldest) oldest = since;
    return oldest;
  }
}
