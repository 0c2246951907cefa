import type { IPermission } from 'etcd3';
import type { KeyRange } from './keys.js';

/** What a role allows on a range of keys. */
export type Grant = IPermission;
type Kind = Grant['permType'];

/** Steps from one set of grants to another, in an order in which nobody loses a right for a moment that he has before and after. */
export type Step =
  | { readonly type: 'grant'; readonly grant: Grant }
  | { readonly type: 'revoke'; readonly grant: Grant };

/** Range of keys that ends nowhere, as etcd writes its end. */
const OPEN_END = Buffer.of(0);

/**
 * The grants of a role without the right to write within `sealed`, all else as it was: where a grant reaches beyond, what is outside is
 * granted piece by piece. The same object where nothing is to be taken. Of several ranges the order does not matter.
 */
export function sealedGrants(grants: readonly Grant[], sealed: readonly KeyRange[]): readonly Grant[] {
  const inOrder = sealed.toSorted((a, b) => Buffer.compare(a.key, b.key));
  if (!grants.some((grant) => inOrder.some((range) => writesIn(grant, range)))) return grants;
  const after = new Map<string, Grant>();
  const add = (grant: Grant) => {
    const there = after.get(rangeName(grant));
    const permType = there === undefined ? grant.permType : union(there.permType, grant.permType);
    after.set(rangeName(grant), { ...grant, permType });
  };
  for (const grant of grants) {
    const taken = inOrder.filter((range) => writesIn(grant, range));
    if (taken.length === 0 || grant.permType === 'Readwrite')
      add(taken.length === 0 ? grant : { ...grant, permType: 'Read' });
    if (taken.length > 0) for (const piece of outside(grant, taken)) add(piece);
  }
  return [...after.values()];
}

/** What of a grant is outside of ranges, which are in order, and all of which it reaches into. */
function* outside(grant: Grant, ranges: readonly KeyRange[]): Generator<Grant> {
  let { key } = grant;
  for (const { key: from, range_end: to } of ranges) {
    if (Buffer.compare(key, from) < 0) yield { ...grant, key, range_end: from };
    if (Buffer.compare(key, to) < 0) key = to;
  }
  if (endsAfter(grant, key) && grant.range_end.length > 0) yield { ...grant, key };
}

/** How to come from what a role grants `now` to what it is to grant. */
export function stepsTo(now: readonly Grant[], wanted: readonly Grant[]): Step[] {
  const [has, wants] = [byRange(now), byRange(wanted)];
  const wider: Step[] = [];
  const narrower: Step[] = [];
  for (const [name, grant] of wants) {
    const there = has.get(name)?.permType;
    if (there === grant.permType) continue;
    const isWider = there === undefined || union(there, grant.permType) === grant.permType;
    (isWider ? wider : narrower).push({ type: 'grant', grant });
  }
  for (const [name, grant] of has) if (!wants.has(name)) narrower.push({ type: 'revoke', grant });
  return [...wider, ...narrower];
}

/**
 * What a role is to grant that is on its way from one state to another, and may be anywhere between: ranges that are in neither state
 * were changed by somebody else, and stay.
 */
export function merged(
  now: readonly Grant[],
  from: readonly Grant[],
  to: readonly Grant[],
): { readonly wanted: readonly Grant[]; readonly changed: readonly Grant[] } {
  const [has, had, wants] = [byRange(now), byRange(from), byRange(to)];
  const wanted = new Map(has);
  const changed: Grant[] = [];
  for (const [name, range] of new Map([...had, ...wants])) {
    const kind = has.get(name)?.permType;
    const target = wants.get(name);
    if (kind !== target?.permType && kind !== had.get(name)?.permType) changed.push(range);
    else if (target === undefined) wanted.delete(name);
    else wanted.set(name, target);
  }
  return { wanted: [...wanted.values()], changed };
}

/** Whether a grant allows to write a key of a range. */
export function writesIn(grant: Grant, { key, range_end }: KeyRange): boolean {
  if (grant.permType === 'Read') return false;
  return Buffer.compare(grant.key, range_end) < 0 && endsAfter(grant, key);
}

/** Whether keys of a grant are at or after `key`. */
function endsAfter({ key: first, range_end: end }: Grant, key: Buffer): boolean {
  if (end.length === 0) return Buffer.compare(first, key) >= 0;
  return end.equals(OPEN_END) || Buffer.compare(end, key) > 0;
}

function byRange(grants: readonly Grant[]): Map<string, Grant> {
  return new Map(grants.map((grant) => [rangeName(grant), grant]));
}

function rangeName({ key, range_end }: Grant): string {
  return `${key.toString('base64')} ${range_end.toString('base64')}`;
}

function union(a: Kind, b: Kind): Kind {
  return a === b ? a : 'Readwrite';
}
