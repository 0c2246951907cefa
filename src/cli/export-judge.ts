import type { Finding } from '../copy/findings.js';
import { checkRead, type ReadScope } from '../copy/guards.js';
import { Transcoded } from '../copy/transcoded.js';
import type { TreeJudge } from '../exporting/write-tree.js';
import type { StoredRecord } from '../topo/connection.js';
import type { Kind } from '../topo/kinds.js';
import type { Beside, RecordForm, Tolerance } from '../topo/told.js';

/** What an export of a store of another form leaves behind, which is refused where a copy refuses it. */
export class ExportJudge implements TreeJudge {
  readonly scopes: ReadScope[] = [];
  readonly #tolerance: Tolerance;
  #findings: Finding[] = [];
  #transcoded = new Transcoded();

  constructor(tolerance: Tolerance) {
    this.#tolerance = tolerance;
  }

  begin(scope: string, form: RecordForm | undefined): void {
    this.#findings = [];
    this.#transcoded = new Transcoded();
    this.#transcoded.from = form?.name;
    this.scopes.push({ scope, findings: this.#findings, transcoded: this.#transcoded });
  }

  leavesOut(kind: Kind, { path, told }: StoredRecord): string | undefined {
    if (told === undefined) return undefined;
    if (told.unreadable === undefined) {
      this.#transcoded.add(kind, path, told);
      return undefined;
    }
    this.#findings.push({ path, kind, problem: 'unreadable', detail: told.unreadable.sentence });
    return 'in no form that is known';
  }

  beside(beside: Beside): void {
    this.#transcoded.addBeside(beside);
  }

  /** Guard, naming what is lost, or cannot be read, and is not borne with. */
  end(): void {
    checkRead(this.scopes, this.#tolerance);
  }
}
