import { createHash } from 'node:crypto';
import type { Value } from '../topo/connection.js';

/** Digest in a ledger of what a deletion leaves. */
const NOTHING = '';

/**
 * The states of one destination store that a copy knows to be its own: what it wrote there, and what it found equal to the
 * source. A record in any other state was written by somebody else.
 */
export class Ledger {
  readonly #versions = new PathVersions();
  /** Digests of what was sent and not answered, by path, separated by spaces. */
  readonly #meant = new Map<string, string>();
  /** Versions that earlier runs found, by path, separated by line ends; undefined: there was no earlier run. */
  #found: Map<string, string> | undefined;

  /** The record is in a state of ours, which has this version (without its store). */
  own(path: string, version: string): void {
    this.#versions.set(path, version);
    if (this.#meant.size > 0) this.#meant.delete(path);
  }

  /** The record is gone, by our doing or because the source has none. */
  forget(path: string): void {
    this.#versions.map.delete(path);
    this.#meant.delete(path);
    // What an earlier run found is no news any more: that it is gone is known, and nobody else's doing.
    this.#found?.delete(path);
  }

  /** Whether a record of this version is in a state of ours. */
  owns(path: string, version: string): boolean {
    return this.#versions.map.get(path) === version;
  }

  /** A write of this (see {@link digestOf}) may have been sent, whose outcome is not known; undefined: a deletion. */
  meant(path: string, bytes: Uint8Array | undefined): void {
    this.meantDigest(path, bytes === undefined ? NOTHING : digestOf(bytes));
  }

  /** {@link meant}, by its digest; empty for a deletion. */
  meantDigest(path: string, digest: string): void {
    const before = this.#meant.get(path);
    this.#meant.set(path, before === undefined ? digest : `${before} ${digest}`);
  }

  /**
   * Compares with what the destination has at a path: what a write of unknown outcome has left is ours from now on.
   */
  recognise(path: string, existing: Value | undefined): void {
    if (this.#meant.size === 0) return;
    const meant = this.#meant.get(path);
    if (meant === undefined) return;
    const digest = existing === undefined ? NOTHING : digestOf(existing.bytes);
    if (!meant.split(' ').includes(digest)) return;
    // It may yet be carried out, or another one: what was meant is remembered until an answer comes.
    if (existing === undefined) this.#versions.map.delete(path);
    else this.#versions.set(path, existing.version.token);
  }

  /** An interrupted run began, and has told by {@link found} what it found. */
  resumed(): void {
    this.#found ??= new Map();
  }

  /** An interrupted run found a record in this state when it began. */
  found(path: string, version: string): void {
    this.resumed();
    const before = this.#found?.get(path);
    this.#found?.set(path, before === undefined ? version : `${before}\n${version}`);
  }

  /** {@link found}, and it was in a state of ours then. */
  foundOwn(path: string, version: string): void {
    this.found(path, version);
    this.#versions.set(path, version);
  }

  /** Whether somebody else wrote a record since an interrupted run began: it found no such state, and did not write it. */
  isForeign(path: string, version: string): boolean {
    if (this.#found === undefined || this.owns(path, version)) return false;
    return this.#found.get(path)?.split('\n').includes(version) !== true;
  }

  /** Whether somebody else deleted a record since an interrupted run began: it found one there, and sent no deletion. */
  isDeleted(path: string): boolean {
    const isOurs = this.#meant.get(path)?.split(' ').includes(NOTHING) === true;
    return this.#found?.has(path) === true && !isOurs;
  }

  /** Every record in a state of ours, with its version. */
  owned(): Iterable<[path: string, version: string]> {
    return this.#versions.map;
  }

  /** Whether a record that is, or was, in a state of ours is known at this path. */
  has(path: string): boolean {
    return this.#versions.map.has(path);
  }

  /** Whether what is there may be replaced: a record in a state of ours, or nothing where we know of no record. */
  allows(path: string, existing: Value | undefined): boolean {
    return existing === undefined ? !this.has(path) : this.owns(path, existing.version.token);
  }
}

/** Paths that are packed together. */
const PACKED = 512;
/** In no path, and in no version. */
const SEPARATOR = '\0';

/**
 * Versions by path. Until one is asked for, which most copies never do, they are kept as they came, packed into a few buffers: a map of
 * them would cost a copy more than all else that it does for a record but to read and write it.
 */
class PathVersions {
  #map: Map<string, string> | undefined;
  #packed: Buffer[] = [];
  /** Path, version, path, version … that are not packed yet. */
  #last: string[] = [];

  set(path: string, version: string): void {
    if (this.#map !== undefined) {
      this.#map.set(path, version);
      return;
    }
    this.#last.push(path, version);
    if (this.#last.length < 2 * PACKED) return;
    this.#packed.push(Buffer.from(this.#last.join(SEPARATOR)));
    this.#last = [];
  }

  get map(): Map<string, string> {
    this.#map ??= this.#unpack();
    return this.#map;
  }

  #unpack(): Map<string, string> {
    const map = new Map<string, string>();
    const add = (texts: readonly string[]) => {
      for (let i = 0; i < texts.length; i += 2) map.set(texts[i] ?? '', texts[i + 1] ?? '');
    };
    for (const packed of this.#packed) add(packed.toString().split(SEPARATOR));
    add(this.#last);
    this.#packed = [];
    this.#last = [];
    return map;
  }
}

/** Short digest of a record for journals: 120 bits of SHA-256 in base64url. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 20);
}
