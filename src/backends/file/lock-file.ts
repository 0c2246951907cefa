import { createHash } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../topo/errno.js';
import { isGone, makeMark, readFields, readHolder, readMark, removeMark } from '../../topo/mark.js';

/** Milliseconds between looks at a lock by those who hold it, wait for it, or follow it. */
export const POLL_MS = 100;

/** What a lock's mark says. */
export interface HeldBy {
  /** The mark as it is, which no other is like. */
  readonly text: string;
  readonly contents: string;
  /** Process and host. Undefined: the mark does not say. */
  readonly owner: string | undefined;
  /** Milliseconds since the epoch at which it was made. */
  readonly since: number | undefined;
}

/**
 * The lock of one directory: a mark in the folder `<file>.locks`, apart from the records, so that a file is the same
 * whether or not somebody holds locks. It is over when the process that made it is.
 */
export class LockFile {
  readonly #folder: string;
  readonly #name: string;
  readonly #what: { readonly scope: string; readonly dir: string };

  /** @param file the topology file */
  constructor(file: string, scope: string, dir: string) {
    this.#folder = `${file}.locks`;
    this.#what = { scope, dir };
    // A path can be longer than the name of a file.
    this.#name = join(
      this.#folder,
      createHash('sha256').update(`${scope}/${dir}`).digest('hex').slice(0, 32),
    );
  }

  /** Takes the lock; undefined: somebody holds it. Answers with the mark's text. */
  async take(contents: string, since: number): Promise<string | undefined> {
    for (;;) {
      try {
        await mkdir(this.#folder, { mode: 0o700 });
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
      try {
        const text = await makeMark(this.#name, { ...this.#what, contents, since });
        if (text !== undefined || (await this.read()) !== undefined) return text;
      } catch (error) {
        // Whoever gave another lock back removed the folder in between.
        if (!isErrno(error, 'ENOENT')) throw error;
      }
    }
  }

  /** Who holds the lock; undefined: nobody. What a dead process left is removed. */
  async read(): Promise<HeldBy | undefined> {
    const text = await readMark(this.#name);
    if (text === undefined) return undefined;
    const holder = readHolder(text);
    if (holder !== undefined && isGone(holder) && (await this.remove(text))) return undefined;
    const fields = readFields(text) ?? {};
    return {
      text,
      contents: 'contents' in fields && typeof fields.contents === 'string' ? fields.contents : '',
      owner: holder && `${holder.pid}@${holder.host}`,
      since: 'since' in fields && typeof fields.since === 'number' ? fields.since : undefined,
    };
  }

  /** Whether the mark is still the one with this text. */
  async is(text: string): Promise<boolean> {
    return (await readMark(this.#name)) === text;
  }

  /** Removes the mark with this text; false: it is there no more, or somebody else is removing it. */
  async remove(text: string): Promise<boolean> {
    if (!(await this.is(text)) || !(await removeMark(this.#name, text))) return false;
    try {
      await rmdir(this.#folder);
    } catch (error) {
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
    }
    return true;
  }
}
