import { compareBytewise, parentPath } from '../topo/paths.js';
import type { Acl, MultiOp } from '../zookeeper/client.js';
import { type Findings, type Step, znodesAbove } from './plan.js';
import { DIRECTORY_ACL } from './znode.js';

/** The requests of one multi, and which operation of the batch each belongs to. */
export interface Transaction {
  readonly requests: readonly MultiOp[];
  /** For each request, the step that needs it. */
  readonly owners: readonly Step[];
  /** For steps whose answer holds a Stat, or stands for a creation: the index of that request, by the index of the step. */
  readonly answers: readonly (number | undefined)[];
  /** Deletions that take the data alone, since the znode has children. */
  readonly emptied: readonly Step[];
  /** Directories that it makes, the uppermost first, and a record that needs each. */
  readonly made: readonly { readonly znode: string; readonly path: string }[];
}

const ANY_VERSION = -1;

/**
 * Orders the requests of a batch: checks, which leave nothing behind; what is created, parents first; updates;
 * deletions, children first. So no operation of a batch hinders another, in whatever order they were given.
 */
export function buildTransaction(findings: Findings, recordAcl: readonly Acl[]): Transaction {
  return new Builder(findings, recordAcl).build();
}

class Builder {
  readonly #findings: Findings;
  readonly #recordAcl: readonly Acl[];
  readonly #requests: MultiOp[] = [];
  readonly #owners: Step[] = [];
  readonly #answers: (number | undefined)[];
  readonly #emptied: Step[] = [];
  readonly #made: { readonly znode: string; readonly path: string }[] = [];
  /** Length of the longest directory that is needed. */
  #longest = 0;

  constructor(findings: Findings, recordAcl: readonly Acl[]) {
    this.#findings = findings;
    this.#recordAcl = recordAcl;
    this.#answers = new Array(findings.steps.length).fill(undefined);
    for (const directory of findings.needed.keys())
      if (directory.length > this.#longest) this.#longest = directory.length;
  }

  build(): Transaction {
    const { steps } = this.#findings;
    for (const step of steps) this.#addCheck(step);
    this.#addCreations();
    for (const step of steps) this.#addUpdate(step);
    this.#addDeletions();
    return {
      requests: this.#requests,
      owners: this.#owners,
      answers: this.#answers,
      emptied: this.#emptied,
      made: this.#made,
    };
  }

  /** Whether a znode is a directory that a record needs: most are longer than any, and need not be looked for. */
  #isNeeded(znode: string): boolean {
    return znode.length <= this.#longest && this.#findings.needed.has(znode);
  }

  #add(step: Step, request: MultiOp): void {
    this.#owners.push(step);
    this.#requests.push(request);
  }

  #addCheck(step: Step): void {
    const { znode: path } = step;
    if (step.type === 'check' || step.type === 'directory') {
      this.#add(step, { type: 'check', path, version: step.expected?.version ?? ANY_VERSION });
    } else if (step.type === 'absent') {
      // What can be created was absent. It goes again at once, with what had to be made above it.
      const { missing } = this.#findings;
      const chain = [...znodesAbove(path).filter((znode) => missing.has(znode)), path];
      for (const znode of chain) this.#add(step, makeDirectory(znode));
      for (const znode of chain.reverse())
        this.#add(step, { type: 'delete', path: znode, version: ANY_VERSION });
    }
  }

  #addCreations(): void {
    const { steps, needed, companions, missing } = this.#findings;
    const records = steps.filter(({ type }) => type === 'create');
    if (companions.size === 0 && !records.some(({ znode }) => this.#isNeeded(znode))) {
      this.#addInTheirOrder(records);
      return;
    }
    const creations = new Map<string, Step>();
    for (const znode of missing) {
      const step = steps[needed.get(znode) ?? -1];
      if (step !== undefined) creations.set(znode, step);
    }
    for (const step of records) creations.set(step.znode, step);
    // A name sorts before whatever begins with it.
    for (const znode of [...creations.keys()].sort()) this.#addCreation(znode, creations.get(znode));
  }

  /** Records of which none is above another, and before each the directories that it is the first to need. */
  #addInTheirOrder(records: readonly Step[]): void {
    const { steps, needed, missing } = this.#findings;
    let next = 0;
    const addRecords = (before: number) => {
      for (let step = records[next]; step !== undefined && step.index < before; step = records[++next])
        this.#addCreation(step.znode, step);
    };
    for (const znode of missing) {
      const index = needed.get(znode);
      if (index === undefined) continue;
      addRecords(index);
      this.#addCreation(znode, steps[index]);
    }
    addRecords(steps.length);
  }

  #addCreation(znode: string, step: Step | undefined): void {
    if (step === undefined) return;
    const { op } = step;
    if (op.type !== 'create' || step.znode !== znode) {
      this.#made.push({ znode, path: op.path });
      this.#add(step, makeDirectory(znode));
    } else {
      const acl = this.#isNeeded(znode) ? DIRECTORY_ACL : this.#recordAcl;
      this.#answers[step.index] = this.#requests.length;
      this.#add(step, { type: 'create', path: znode, data: op.bytes, acl });
    }
  }

  #addUpdate(step: Step): void {
    const { op, type, expected, znode: path } = step;
    if ((type !== 'update' && type !== 'fill') || !('bytes' in op)) return;
    this.#answers[step.index] = this.#requests.length;
    this.#add(step, { type: 'setData', path, data: op.bytes, version: expected?.version ?? ANY_VERSION });
  }

  #addDeletions(): void {
    const { steps, needed } = this.#findings;
    const gone = new Map<string, number>();
    const deletions = steps.filter(({ type }) => type === 'delete');
    for (const step of deletions.sort((a, b) => compareBytewise(b.op.path, a.op.path))) {
      const { path } = step.op;
      const stays = needed.has(step.znode) || step.children > (gone.get(path) ?? 0);
      if (!stays) gone.set(parentPath(path), (gone.get(parentPath(path)) ?? 0) + 1);
      this.#addDeletion(step, stays);
    }
  }

  /** A directory that stays loses its data. The answer to a deletion has no czxid, that to a write before it has. */
  #addDeletion(step: Step, stays: boolean): void {
    const { expected, znode: path } = step;
    const version = expected?.version ?? ANY_VERSION;
    if (stays || expected !== null) {
      this.#answers[step.index] = this.#requests.length;
      this.#add(step, { type: 'setData', path, data: null, version });
    }
    if (!stays)
      for (const companion of step.companions ?? [])
        this.#add(step, { type: 'delete', path: companion, version: ANY_VERSION });
    if (stays) this.#emptied.push(step);
    else this.#add(step, { type: 'delete', path, version: expected === null ? ANY_VERSION : version + 1 });
  }
}

function makeDirectory(path: string): MultiOp {
  return { type: 'create', path, data: null, acl: DIRECTORY_ACL };
}
