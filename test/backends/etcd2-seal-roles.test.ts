import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Grant, merged, sealedGrants, stepsTo, writesIn } from '../../src/backends/etcd2/seal-roles.js';

const SEALED = { key: Buffer.from('/v/g/'), range_end: Buffer.from('/v/g0') };
const OTHER = { key: Buffer.from('/v/a/'), range_end: Buffer.from('/v/a0') };
const WITHIN = { key: Buffer.from('/v/g/m/'), range_end: Buffer.from('/v/g/m0') };

function grant(permType: Grant['permType'], key: string, end: string): Grant {
  return { permType, key: Buffer.from(key), range_end: Buffer.from(end) };
}

function text(grants: readonly Grant[]): string[] {
  return grants
    .map(({ permType, key, range_end }) => `${permType} ${key}..${JSON.stringify(String(range_end))}`)
    .sort();
}

describe('a role whose store is sealed', () => {
  test.each([
    [
      'keeps what does not touch the root',
      [grant('Readwrite', '/v/h/', '/v/h0'), grant('Readwrite', '/v/g', '')],
    ],
    ['keeps the right to read', [grant('Read', '/v/g/', '/v/g0'), grant('Read', '\0', '\0')]],
    ['keeps a range that ends where the root begins', [grant('Readwrite', '/a', '/v/g/')]],
    ['keeps a range that begins where the root ends', [grant('Readwrite', '/v/g0', '\0')]],
  ])('%s', (_, grants) => {
    expect(sealedGrants(grants, [SEALED])).toBe(grants);
  });

  test.each([
    ['the very root', [grant('Readwrite', '/v/g/', '/v/g0')], [grant('Read', '/v/g/', '/v/g0')]],
    ['a key below it', [grant('Readwrite', '/v/g/k', '')], [grant('Read', '/v/g/k', '')]],
    ['writing alone', [grant('Write', '/v/g/k', '/v/g/l')], []],
    [
      'what is around it',
      [grant('Readwrite', '/v/', '/v0')],
      [grant('Read', '/v/', '/v0'), grant('Readwrite', '/v/', '/v/g/'), grant('Readwrite', '/v/g0', '/v0')],
    ],
    [
      'everything',
      [grant('Readwrite', '\0', '\0')],
      [grant('Read', '\0', '\0'), grant('Readwrite', '\0', '/v/g/'), grant('Readwrite', '/v/g0', '\0')],
    ],
    [
      'what reaches into it, where a piece is granted already',
      [grant('Write', '/v/', '/v/g/k'), grant('Read', '/v/', '/v/g/')],
      [grant('Readwrite', '/v/', '/v/g/')],
    ],
  ])('loses the right to write there, and no other: %s', (_, grants, wanted) => {
    expect(text(sealedGrants(grants, [SEALED]))).toEqual(text(wanted));
  });
});

/** Keys and ends around the root, so that ranges meet it in every way. */
const KEYS = ['\0', '/', '/v/', '/v/g', '/v/g/', '/v/g/a', '/v/g/m', '/v/g0', '/v/h', '/w'];
const anyGrant = fc
  .record({
    permType: fc.constantFrom<Grant['permType']>('Read', 'Write', 'Readwrite'),
    key: fc.constantFrom(...KEYS),
    range_end: fc.constantFrom('', '\0', ...KEYS),
  })
  .filter(({ key, range_end }) => range_end === '' || range_end === '\0' || range_end > key)
  .map(({ permType, key, range_end }) => grant(permType, key, range_end));
const anyRole = fc.uniqueArray(anyGrant, {
  maxLength: 5,
  selector: ({ key, range_end }) => `${key} ${range_end}`,
});

/** Whether grants allow something on one key. */
function allows(grants: readonly Grant[], kind: 'Read' | 'Write', key: string): boolean {
  const point = Buffer.from(key);
  return grants.some(
    (each) =>
      (each.permType === kind || each.permType === 'Readwrite') &&
      Buffer.compare(each.key, point) <= 0 &&
      (each.range_end.length === 0
        ? each.key.equals(point)
        : each.range_end.equals(Buffer.of(0)) || Buffer.compare(each.range_end, point) > 0),
  );
}

const isSealed = (key: string) => key >= '/v/g/' && key < '/v/g0';

test('sealing takes writing below the root from any role, and nothing else, and can be undone after any step', () => {
  fc.assert(
    fc.property(anyRole, (was) => {
      const sealed = sealedGrants(was, [SEALED]);
      expect(sealed.some((each) => writesIn(each, SEALED))).toBe(false);
      for (const key of KEYS) {
        expect(allows(sealed, 'Read', key)).toBe(allows(was, 'Read', key));
        expect(allows(sealed, 'Write', key)).toBe(allows(was, 'Write', key) && !isSealed(key));
      }
      const steps = sealed === was ? [] : stepsTo(was, sealed);
      for (let done = 0; done <= steps.length; done++) {
        const now = applied(was, steps.slice(0, done));
        for (const key of KEYS.filter((each) => !isSealed(each)))
          expect(allows(now, 'Write', key)).toBe(allows(was, 'Write', key));
        const { wanted, changed } = merged(now, sealed, was);
        expect(changed).toEqual([]);
        const back = stepsTo(now, wanted);
        for (let undone = 0; undone <= back.length; undone++) {
          const then = applied(now, back.slice(0, undone));
          const again = merged(then, sealed, was);
          expect(text(applied(then, stepsTo(then, again.wanted)))).toEqual(text(was));
        }
      }
    }),
  );
});

function applied(grants: readonly Grant[], steps: ReturnType<typeof stepsTo>): Grant[] {
  const name = ({ key, range_end }: Grant) => `${key} ${range_end}`;
  const all = new Map(grants.map((each) => [name(each), each]));
  for (const { type, grant: each } of steps)
    if (type === 'grant') all.set(name(each), each);
    else all.delete(name(each));
  return [...all.values()];
}

test('several roots are sealed and unsealed in any order, and each leaves the others as they are', () => {
  fc.assert(
    fc.property(anyRole, fc.shuffledSubarray([SEALED, OTHER, WITHIN], { minLength: 3 }), (was, order) => {
      const all = sealedGrants(was, order);
      expect(text(all)).toEqual(text(sealedGrants(was, [SEALED, OTHER, WITHIN])));
      let now = [...was];
      for (let n = 1; n <= order.length; n++) {
        const from = sealedGrants(was, order.slice(0, n - 1));
        const { wanted, changed } = merged(now, from, sealedGrants(was, order.slice(0, n)));
        expect(changed).toEqual([]);
        now = applied(now, stepsTo(now, wanted));
      }
      expect(text(now)).toEqual(text(all));
      for (let n = 1; n <= order.length; n++) {
        const from = sealedGrants(was, order.slice(n - 1));
        const { wanted, changed } = merged(now, from, sealedGrants(was, order.slice(n)));
        expect(changed).toEqual([]);
        now = applied(now, stepsTo(now, wanted));
      }
      expect(text(now)).toEqual(text(was));
    }),
  );
});

test('what somebody else changed meanwhile stays, and is named', () => {
  const was = [grant('Readwrite', '/v/', '/v0')];
  const sealed = sealedGrants(was, [SEALED]);
  const now = [
    ...sealed.filter(({ key }) => String(key) !== '/v/g0'),
    grant('Write', '/v/g0', '/v0'),
    grant('Read', '/x', ''),
  ];
  const { wanted, changed } = merged(now, sealed, was);
  expect(text(changed)).toEqual(['Readwrite /v/g0.."/v0"']);
  expect(text(wanted)).toEqual(text([...was, grant('Write', '/v/g0', '/v0'), grant('Read', '/x', '')]));
});
