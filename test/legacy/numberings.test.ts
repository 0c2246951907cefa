import { expect, test } from 'vitest';
import { Numberings } from '../../src/legacy/numberings.js';
import { Transcoder } from '../../src/legacy/transcoder.js';
import { systemClock } from '../../src/topo/clock.js';

test('a record that was read by the numbers of 2015 says so, and by which sign; others do not', async () => {
  const sign = { path: 'keyspaces/ks/SrvKeyspace', numbering: 'first', reason: 'type 4 is served' } as const;
  const numberings = new Numberings({
    store: 'here',
    clock: systemClock,
    given: undefined,
    find: () => Promise.resolve({ numbering: 'first', signs: [sign], matters: true }),
  });
  const transcoder = new Transcoder('here', numberings);
  const record = { kind: 'Tablet', path: 'tablets/nyc-0000000001/Tablet', cell: 'nyc' } as const;
  const notes = async (type: number) =>
    (await transcoder.readOld(record, Buffer.from(JSON.stringify({ type })), undefined)).notes;
  const text =
    'types of tablets were read by the numbers of 2.0.0-alpha1 to alpha4, since type 4 is served (keyspaces/ks/SrvKeyspace)';
  for (const type of [2, 3]) expect(await notes(type)).toMatchObject([{ text, once: true }]);
  expect(await notes(0)).toEqual([]);
});
