/** A write that was seen in the store that is not the authority. */
export interface LeftWrite {
  readonly path: string;
  /** Version of the record, without its store; undefined: it was deleted. */
  readonly version: string | undefined;
  /** When it was seen, in milliseconds since the epoch. */
  readonly at: number;
}

/** States that were told of and are remembered, so that none is told of twice. */
const REMEMBERED = 10_000;

/**
 * Which versions one store holds, so that every write there is noticed: one that a watch tells of, one that was missed and is read
 * later, and each once. Versions never come twice. It holds a version for each record, and grows with those.
 */
export class LeftVersions {
  readonly #known = new Map<string, string>();
  /** Told of not long ago, oldest first. */
  readonly #told = new Set<string>();
  /** Paths that a new watch has delivered so far; undefined: none is delivering. */
  #delivered: Set<string> | undefined;
  #isFilled = false;

  /** Whether everything that was there at the beginning is known. */
  get isFilled(): boolean {
    return this.#isFilled;
  }

  /** Takes note of what was there at the beginning. */
  fill(path: string, version: string): void {
    this.#known.set(path, version);
  }

  filled(): void {
    this.#isFilled = true;
  }

  /** Whether a store that holds this now was written to since; undefined: it holds nothing there. */
  isNew(path: string, version: string | undefined): boolean {
    return this.#isFilled && this.#known.get(path) !== version;
  }

  /** A watch begins, and will deliver everything that is there. */
  begin(): void {
    this.#delivered = this.#isFilled ? new Set() : undefined;
  }

  /** A watch has delivered everything. Answers with the paths that are gone. */
  synced(): string[] {
    const delivered = this.#delivered;
    this.#delivered = undefined;
    this.#isFilled = true;
    return delivered === undefined ? [] : [...this.#known.keys()].filter((path) => !delivered.has(path));
  }

  /** The store holds this version now; undefined: nothing. Answers with the write, where that is news. */
  seen(path: string, version: string | undefined, at: number): LeftWrite | undefined {
    this.#delivered?.add(path);
    const was = this.#known.get(path);
    if (version === was) return undefined;
    const state = `${path}\0${version ?? ''}`;
    // A read may be ahead of the watch: what it found comes again, and is past by now.
    if (version !== undefined && this.#told.has(state)) return undefined;
    if (version === undefined) this.#known.delete(path);
    else this.#known.set(path, version);
    if (!this.#isFilled) return undefined;
    this.#remember(state);
    return { path, version, at };
  }

  #remember(state: string): void {
    this.#told.add(state);
    const [first] = this.#told;
    if (this.#told.size > REMEMBERED && first !== undefined) this.#told.delete(first);
  }
}
