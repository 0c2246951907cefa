import { describe, expect, test } from 'vitest';
import { formerAcl, sealedAcl } from '../../src/znodes/seal-acl.js';
import type { Acl } from '../../src/zookeeper/client.js';

const entry = (perms: number, id = 'anyone', scheme = 'world'): Acl => ({ perms, scheme, id });

describe.each([
  ['a file of Vitess', [entry(19)]],
  ['a directory of Vitess', [entry(31)]],
  ['one that nobody may read', [entry(6)]],
  ['one of several', [entry(31, 'vitess:aGFzaA==', 'digest'), entry(1), entry(31, '10.0.0.0/8', 'ip')]],
  ['two entries that differ in what is taken', [entry(3), entry(5)]],
  ['one that is open and closed', [entry(0)]],
])('the ACL of %s', (_, acl) => {
  test('when it is sealed allows to read and to change ACLs as before, and nothing else', () => {
    const sealed = sealedAcl(acl);
    for (const { perms } of sealed) expect(perms & ~17).toBe(0);
    const rights = (list: readonly Acl[]) =>
      new Set(
        list
          .filter(({ perms }) => (perms & 17) !== 0)
          .map(({ perms, scheme, id }) => `${perms & 17} ${scheme}:${id}`),
      );
    expect(rights(sealed)).toEqual(rights(acl));
    expect(new Set(sealed.map((each) => JSON.stringify(each))).size).toBe(sealed.length);
  });

  test('says what it was, to the letter', () => {
    expect(formerAcl(acl)).toBeUndefined();
    expect(formerAcl(sealedAcl(acl))).toEqual(acl);
  });
});
