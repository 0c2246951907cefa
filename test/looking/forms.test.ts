import { describe, expect, test } from 'vitest';
import { jsonForm, jsonLine, longLine, shownRecord, textForm } from '../../src/looking/forms.js';
import { encode } from '../../src/topo/codec.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { KINDS } from '../../src/topo/kinds.js';
import { Version } from '../../src/topo/version.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';
import { stored } from '../support/records.js';

describe('the forms of a record', () => {
  for (const name of FIXTURES) {
    test.runIf(fixtures(name) !== undefined)(`${name}: JSON is what Vitess itself makes of it`, () => {
      for (const { scope, path, value, kind, json } of fixtures(name) ?? [])
        if (kind !== null) expect(jsonForm(scope, stored(path, value))).toEqual(json);
    });

    test.runIf(fixtures(name) !== undefined)(`${name}: every kind has a text, raw bytes have none`, () => {
      for (const { scope, path, value, kind } of fixtures(name) ?? [])
        expect(textForm(scope, stored(path, value)) === undefined).toBe(kind === null);
    });
  }

  test('JSON in one line has its keys sorted and is escaped as Go does it', () => {
    expect(jsonLine([{ b: 1, a: { d: '<&>', c: [true] } }, {}])).toBe(
      '[{"a":{"c":[true],"d":"\\u003c\\u0026\\u003e"},"b":1},{}]',
    );
  });

  test('raw bytes are text where they are UTF-8', () => {
    expect(jsonForm('global', stored('metadata/a', 'é'))).toEqual({ __text: 'é' });
    expect(jsonForm('global', stored('metadata/a', Buffer.from([0xff])))).toEqual({ __base64: '/w==' });
  });

  test('a file out of its place is printed by its name, as Vitess goes by, and shown as unknown', () => {
    const record = stored('somewhere/Shard', encode('topodata.Shard', { is_primary_serving: true }));
    expect(textForm('global', record)).toBe('is_primary_serving:true');
    expect(shownRecord('global', record).kind).toBe('Unknown');
    expect(textForm('zone1', stored('somewhere/Rules', 'x'))).toBeUndefined();
    expect(textForm('global', stored('keyspaces/Shard', 'x', true))).toBeUndefined();
  });

  test('a record that does not decode is Corrupt in Vitess’s forms, and shown as bytes with the reason', () => {
    const record = stored('RoutingRules', Buffer.from([0x0a]));
    for (const form of [textForm, jsonForm])
      expect(() => form('global', record)).toThrow(expect.objectContaining({ code: ErrorCode.Corrupt }));
    expect(shownRecord('global', record)).toMatchObject({
      text: '\n',
      problem: expect.stringMatching(/ends/),
    });
  });

  test('the version is printed without what Vitess does not know of it', () => {
    const record = { ...stored('a', ''), version: Version.of('zk2://h/a', '3:8589934592') };
    expect(longLine('/a', record)).toBe('path=/a version=3');
  });

  test('every kind with a message is decoded', () => {
    for (const { pattern, message, scope } of KINDS) {
      if (message === null) continue;
      const path = pattern.replaceAll(/\{\w+\}/g, 'x-1');
      expect(textForm(scope === 'global' ? 'global' : 'zone1', stored(path, ''))).toBe('');
    }
  });
});
