import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../src/topo/errors.js';
import { tokenFor, Version } from '../../src/topo/version.js';

const STORE = 'zk2://h1:2181/vitess/a@b';

describe('Version', () => {
  it('is equal only for the same store and the same state', () => {
    const version = Version.of(STORE, '3.77');
    expect(version.equals(Version.of(STORE, '3.77'))).toBe(true);
    expect(version.equals(Version.of(STORE, '4.77'))).toBe(false);
    expect(version.equals(Version.of('etcd2://h1:2379/vitess/a@b', '3.77'))).toBe(false);
  });

  it('is read back from its text, whatever the store is called', () => {
    const version = Version.of(STORE, '3.77');
    expect(Version.parse(version.toString())).toEqual(version);
  });

  it.each(['', '3', '@zk2://h1:2181/vitess'])('is not read from %j', (text) => {
    expect(() => Version.parse(text)).toThrow(expect.objectContaining({ code: ErrorCode.Usage }));
  });

  it('gives its token to the store that made it', () => {
    expect(tokenFor(STORE, Version.of(STORE, '3.77'), 'a')).toBe('3.77');
  });

  it('is refused by another store with BadVersion, never compared', () => {
    expect(() => tokenFor('etcd2://h/x', Version.of(STORE, '3.77'), 'a')).toThrow(
      expect.objectContaining({ code: ErrorCode.BadVersion, path: 'a', store: 'etcd2://h/x' }),
    );
  });
});
