import type { Certificate, CertifiedPart } from './certificate.js';
import type { ScopeReport, VerifyReport } from './report.js';
import type { Authority } from './settle.js';

/** Where stores are no longer as a certificate has them. */
export interface Departure {
  readonly scope: string;
  readonly side: Authority;
  /** `KEYSPACE/KIND` of records that changed; absent: the part as a whole. */
  readonly group?: string | undefined;
  readonly what: 'changed' | 'appeared' | 'gone' | 'another store';
}

const SIDES: readonly Authority[] = ['source', 'destination'];

/** Compares what a certificate says with a comparison of now that made digests. Empty: both sides are as they were. */
export function departures(certificate: Certificate, now: VerifyReport): Departure[] {
  const scopes = new Set([...certificate.parts, ...now.scopes].map(({ scope }) => scope));
  return [...scopes].flatMap((scope): Departure[] => {
    const was = certificate.parts.find((part) => part.scope === scope);
    const is = now.scopes.find((part) => part.scope === scope);
    return SIDES.flatMap((side) => {
      if (was === undefined) return [{ scope, side, what: 'appeared' }];
      return is === undefined ? [{ scope, side, what: 'gone' }] : inPart(was, is, side);
    });
  });
}

function inPart(was: CertifiedPart, is: ScopeReport, side: Authority): Departure[] {
  const { scope } = was;
  if (was[side].identity !== (is[side].identity ?? null)) return [{ scope, side, what: 'another store' }];
  const before = new Map(was.groups.map((group) => [group.name, group[side]]));
  const after = new Map((is.groups ?? []).map((group) => [group.name, group[side]]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((group): Departure[] => {
    const [one, other] = [before.get(group), after.get(group)];
    const [had, has] = [one?.records ?? 0, other?.records ?? 0];
    if (had === 0 && has === 0) return [];
    if (had === 0) return [{ scope, side, group, what: 'appeared' }];
    if (has === 0) return [{ scope, side, group, what: 'gone' }];
    return one?.digest === other?.digest ? [] : [{ scope, side, group, what: 'changed' }];
  });
}
