import type { Connection, Value } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import { scopeKind } from './context.js';
import { Decoded } from './decoded.js';
import { checkGoing } from './guard-passes.js';
import type { CopyOptions } from './options.js';
import { Tally } from './tally.js';

/** What goes from the destination of a part between two complete passes, beside what the source held at the first of them. */
export class Going {
  readonly #scope: string;
  readonly #options: CopyOptions;
  #held: Tally | undefined;
  #going = new Tally();
  readonly #gone = new Set<string>();

  constructor(scope: string, options: CopyOptions) {
    this.#scope = scope;
    this.#options = options;
  }

  /** Begins anew, with what a complete pass counted in the source. */
  counted(held: Tally): void {
    this.#held = held;
    this.#going = new Tally();
    this.#gone.clear();
  }

  /** Guard when with these paths more would be deleted than a cluster loses in its daily life. */
  async check(paths: readonly { readonly path: string }[], to: Connection): Promise<void> {
    if (this.#held === undefined || this.#options.overrules?.shrunk === true) return;
    for (const { path } of paths) {
      if (this.#gone.has(path)) continue;
      const existing: Value | undefined = await find(to, path, { signal: this.#options.signal });
      if (existing === undefined) continue;
      this.#gone.add(path);
      const row = classify(scopeKind(this.#scope), path, existing.ephemeral);
      this.#going.add(new Decoded(row, { path, ...existing }));
    }
    checkGoing(this.#scope, this.#going, this.#held);
  }
}
