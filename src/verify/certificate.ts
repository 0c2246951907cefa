import { type LossKind, lossCounts } from '../topo/told.js';
import { CLASSES, type Class } from './classes.js';
import { digestOf, type Group } from './digest.js';
import type { Selection } from './narrowing.js';
import type { Difference, ReadStore, VerifyReport } from './report.js';
import type { Authority, Settling } from './settle.js';
import { type Decision, decide } from './verdict.js';

/** One side of a part. */
export interface CertifiedStore {
  readonly store: string;
  /** What tells the store from every other; null: the side has no such cell. */
  readonly identity: string | null;
  /** The store's own count when the reading began and when it ended. */
  readonly first: string;
  readonly last: string;
  readonly digest: string;
}

/** Losses of one kind. */
export interface CertifiedLosses {
  readonly values: number;
  readonly accepted: boolean;
}

/** One part of both topologies. */
export interface CertifiedPart {
  readonly scope: string;
  readonly source: CertifiedStore;
  readonly destination: CertifiedStore;
  readonly groups: readonly Group[];
}

/** What was compared, when, and with what outcome, as a file that can be kept and checked: schema/certificate.schema.json. */
export interface Certificate {
  readonly type: 'certificate';
  readonly version: 1;
  /** Version of this tool. */
  readonly tool: string;
  /** As RFC 3339. */
  readonly started: string;
  readonly ended: string;
  readonly from: string;
  readonly to: string;
  readonly decision: Decision;
  readonly failOn: Class;
  readonly ignore: readonly string[];
  readonly authority: Authority;
  /** Milliseconds a difference had to stand; 0: read once. */
  readonly settleMs: number;
  /** What was compared, where not everything was. */
  readonly selection?: Selection | undefined;
  /** Records compared on both sides. */
  readonly compared: number;
  /** Differences by class. */
  readonly classes: Readonly<Partial<Record<Class, number>>>;
  readonly differences: readonly Pick<Difference, 'scope' | 'path' | 'type' | 'class'>[];
  readonly ignored: readonly Pick<Difference, 'scope' | 'path' | 'type' | 'class'>[];
  /** Values that were lost, by kind, and whether that was accepted; absent: none. */
  readonly losses?: Readonly<Partial<Record<LossKind, CertifiedLosses>>> | undefined;
  /** Records that were not compared, by reason. */
  readonly notCompared: Readonly<Record<string, number>>;
  /** Of each whole side: the digest over its parts. */
  readonly digests: { readonly source: string; readonly destination: string };
  readonly parts: readonly CertifiedPart[];
}

/** What a certificate says beside the report. */
export interface Circumstances {
  readonly tool: string;
  readonly started: number;
  readonly ended: number;
  readonly from: string;
  readonly to: string;
  readonly failOn: Class;
  readonly ignore: readonly string[];
  readonly settle: Settling | undefined;
  readonly authority: Authority;
}

/** A certificate of a comparison that made digests. */
export function certify(report: VerifyReport, about: Circumstances): Certificate {
  const parts = report.scopes.map(({ scope, source, destination, groups = [] }): CertifiedPart => {
    const store = (side: Authority, { store: name, identity, span }: ReadStore): CertifiedStore => ({
      store: name,
      identity: identity ?? null,
      first: String(span.first),
      last: String(span.last),
      digest: partDigest(groups, side),
    });
    return { scope, source: store('source', source), destination: store('destination', destination), groups };
  });
  const short = ({ scope, path, type, class: found }: Difference) => ({ scope, path, type, class: found });
  return {
    type: 'certificate',
    version: 1,
    tool: about.tool,
    started: new Date(about.started).toISOString(),
    ended: new Date(about.ended).toISOString(),
    from: about.from,
    to: about.to,
    decision: decide(report, about.failOn),
    failOn: about.failOn,
    ignore: about.ignore,
    authority: about.authority,
    settleMs: about.settle?.forMs ?? 0,
    ...(report.selection === undefined ? {} : { selection: report.selection }),
    compared: report.compared,
    classes: Object.fromEntries(
      CLASSES.map(
        (each) => [each, report.differences.filter((one) => one.class === each).length] as const,
      ).filter(([, number]) => number > 0),
    ),
    differences: report.differences.map(short),
    ignored: report.ignored.map(short),
    ...(report.losses.length === 0 ? {} : { losses: lossesOf(report) }),
    notCompared: countByReason(report),
    digests: sideDigests(parts),
    parts,
  };
}

/** The digests of both sides, from those of their parts. */
export function sideDigests(parts: readonly CertifiedPart[]): Certificate['digests'] {
  const of = (side: Authority) => digestOf(parts.map((part) => [part.scope, part[side].digest]));
  return { source: of('source'), destination: of('destination') };
}

/** The digest of one side of a part, from those of its groups. */
export function partDigest(groups: readonly Group[], side: Authority): string {
  return digestOf(groups.map((group) => [group.name, group[side].digest]));
}

function lossesOf({ losses }: VerifyReport): NonNullable<Certificate['losses']> {
  const accepted = new Set(losses.filter((each) => each.class === 'expected').map(({ kind }) => kind));
  return Object.fromEntries(
    [...lossCounts(losses)].map(([kind, values]) => [kind, { values, accepted: accepted.has(kind) }]),
  );
}

function countByReason({ notCompared }: VerifyReport): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { reason, side } of notCompared) {
    const key = `${side}: ${reason}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort());
}
