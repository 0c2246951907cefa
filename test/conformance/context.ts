import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Capabilities, Connection } from '../../src/topo/connection.js';
import type { Context, Sentence } from './sentence.js';
import type { Faults, OpenOptions, Subject } from './subject.js';
import { createMany, must } from './tools.js';

/** What became of a sentence. `skipped`: it does not apply, for the reason given. */
export type Outcome = { readonly kind: 'holds' } | { readonly kind: 'skipped'; readonly reason: string };

/** The suite over one subject: keeps what its sentences share. */
export class Run {
  readonly subject: Subject;
  readonly #name = randomUUID().slice(0, 8);
  #places = 0;
  #capabilities: Promise<Capabilities> | undefined;
  readonly #shared = new Map<string, Promise<unknown>>();

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Rejects when the sentence does not hold; for a declared deviation, when it does. */
  async check(sentence: Sentence): Promise<Outcome> {
    this.#capabilities ??= this.#readCapabilities();
    const capabilities = await this.#capabilities;
    const { when } = sentence;
    if (when !== undefined && !when.holds({ subject: this.subject, capabilities }))
      return { kind: 'skipped', reason: `applies only ${when.text}` };
    const deviation = this.subject.expects?.[sentence.title];
    if (deviation === undefined) {
      try {
        await this.#run(sentence, capabilities);
      } catch (error) {
        await this.#renew();
        throw error;
      }
      return { kind: 'holds' };
    }
    const failed = await this.#run(sentence, capabilities).then(
      () => false,
      () => true,
    );
    assert.ok(failed, `the sentence holds after all: take back the declared deviation (${deviation})`);
    return { kind: 'skipped', reason: `declared deviation: ${deviation}` };
  }

  /** Servers that a sentence has left in a state of its own do not fail the next ones. One that fails once more says why. */
  async #renew(): Promise<void> {
    await Promise.resolve(this.subject.faults?.restart()).catch(() => {});
  }

  async #readCapabilities(): Promise<Capabilities> {
    const connection = await this.subject.open(this.#place());
    await connection.close();
    return connection.capabilities;
  }

  #place(): string {
    this.#places += 1;
    return `/conformance/${this.#name}-${this.#places}`;
  }

  async #run(sentence: Sentence, capabilities: Capabilities): Promise<void> {
    const cleanups: (() => unknown)[] = [];
    try {
      await sentence.run(await this.#context(capabilities, cleanups));
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup();
    }
  }

  async #context(capabilities: Capabilities, cleanups: (() => unknown)[]): Promise<Context> {
    const { subject } = this;
    const root = this.#place();
    const open = async (where = root, options?: OpenOptions): Promise<Connection> => {
      const connection = await subject.open(where, options);
      cleanups.push(() => connection.close());
      return connection;
    };
    const connection = await open();
    const openWriter = subject.raw?.writer;
    const writer = openWriter === undefined ? connection : await openWriter(root);
    if (writer !== connection) cleanups.push(() => writer.close());
    let faults: Faults | undefined;
    return {
      subject,
      capabilities,
      root,
      connection,
      writer,
      open,
      plant: async (records, where = root) => {
        const planter = await (subject.raw?.planter ?? openWriter ?? subject.open)(where);
        try {
          await createMany(planter, records);
        } finally {
          await planter.close();
        }
      },
      place: (suffix) => `${root}${suffix}`,
      after: (work) => cleanups.push(work),
      shared: <T>(key: string, make: () => Promise<T>) => this.#share(key, make),
      get faults() {
        faults ??= undoneFaults(must(subject.faults, 'faults'), cleanups);
        return faults;
      },
      raw: subject.raw ?? {},
    };
  }

  #share<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#shared.get(key) ?? make()) as Promise<T>;
    this.#shared.set(key, made);
    return made;
  }
}

/** Faults that are taken back after the sentence, also when it fails half-way. */
function undoneFaults(faults: Faults, cleanups: (() => unknown)[]): Faults {
  let down = false;
  let frozen = false;
  cleanups.push(async () => {
    if (frozen) await faults.thaw();
    if (down) await faults.restart();
  });
  return {
    kill: async () => {
      down = true;
      await faults.kill();
    },
    restart: async () => {
      await faults.restart();
      down = false;
    },
    freeze: async () => {
      frozen = true;
      await faults.freeze();
    },
    thaw: async () => {
      await faults.thaw();
      frozen = false;
    },
  };
}
