import type { CallOptions, Value } from '../topo/connection.js';
import { classify, type Kind } from '../topo/kinds.js';
import { compareBytewise } from '../topo/paths.js';
import { scopeKind } from './context.js';
import { type Entry, EntryList } from './entries.js';
import type { Part } from './parts.js';
import type { ScopePlan } from './plan.js';

const NOTHING = new Uint8Array();
/** Kinds that come and go with processes, and that no copy is about. */
const PASSING: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Ephemeral', 'Control']);

/**
 * Which state every record of the source was in when it was read, so that it can be said whether any moved since: a version
 * never comes twice, so what has its version still was the same all the time.
 */
export class Standstill {
  readonly #seen = new Map<string, EntryList>();

  /** Takes note of a path that a plan decides on. Those of one scope come in path order. */
  note(scope: string, entry: Entry): void {
    if (entry.source === undefined || PASSING.has(entry.kind)) return;
    const list = this.#seen.get(scope) ?? new EntryList();
    this.#seen.set(scope, list);
    list.push({ ...entry, bytes: NOTHING, reason: '', destination: undefined });
  }

  /** Whether a record is in another state than it was seen in; `now` undefined: it is not there. */
  differs(scope: string, path: string, now: Value | undefined): boolean {
    if (PASSING.has(classify(scopeKind(scope), path, now?.ephemeral ?? false).kind)) return false;
    return this.#seen.get(scope)?.find(path)?.source !== now?.version.token;
  }

  /**
   * Paths (`SCOPE:PATH`) of all records that were made, changed or deleted since a plan began to read. Reads only the parts whose
   * store counted on: its count may grow for another reason.
   */
  async moved(scopes: readonly ScopePlan[], parts: readonly Part[], call: CallOptions): Promise<string[]> {
    const found = await Promise.all(
      scopes.map(async ({ scope, source }) => {
        const part = parts.find((each) => each.scope === scope);
        if (part === undefined || (await (await part.from()).position(call)) === source.first) return [];
        return this.movedIn(part, call);
      }),
    );
    return found.flat();
  }

  /** {@link moved} of one part, whatever its store has counted. */
  async movedIn({ scope, from }: Part, call: CallOptions): Promise<string[]> {
    const moved: string[] = [];
    const seen: Iterator<Entry> = (this.#seen.get(scope) ?? new EntryList())[Symbol.iterator]();
    let next = seen.next();
    for await (const { records } of (await from()).scan('', call))
      for (const { path, version, ephemeral } of records) {
        if (PASSING.has(classify(scopeKind(scope), path, ephemeral).kind)) continue;
        for (; next.done !== true && compareBytewise(next.value.path, path) < 0; next = seen.next())
          moved.push(`${scope}:${next.value.path}`);
        if (next.done === true || next.value.path !== path) moved.push(`${scope}:${path}`);
        else {
          if (next.value.source !== version.token) moved.push(`${scope}:${path}`);
          next = seen.next();
        }
      }
    for (; next.done !== true; next = seen.next()) moved.push(`${scope}:${next.value.path}`);
    return moved;
  }
}
