import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { CopiedPair } from './copied-pair.js';

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(() => pair.remove());

test('--output json follows its schema', async () => {
  await pair.put('source', 'global', 'metadata/owner', 'changed');
  await pair.put('destination', 'zone1', 'SrvVSchema', encode('vschema.SrvVSchema', {}));
  const { out } = await pair.verify(
    '--output',
    'json',
    '--ignore',
    'metadata',
    '--certificate',
    pair.at('c.json'),
  );
  const schema = JSON.parse(readFileSync('schema/verify.schema.json', 'utf8'));
  const validate = new Ajv2020({ strictRequired: false }).compile(schema);
  expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)).toBe(true);
  expect(JSON.parse(out)).toMatchObject({ ignored: [{ path: 'metadata/owner' }], decision: 'different' });
});

test('--output marks has a line for each path', async () => {
  await pair.put('source', 'global', 'metadata/owner', 'changed');
  await pair.put('source', 'global', 'metadata/new', 'x');
  await pair.put('destination', 'zone1', 'metadata/other', 'x');
  await pair.put('destination', 'global', 'RoutingRules', Buffer.from([0xff]));
  const { code, out } = await pair.verify('--output', 'marks');
  expect(code).toBe(1);
  const lines = out.trimEnd().split('\n');
  expect(lines.filter((line) => !line.startsWith('= ')).sort()).toEqual([
    '! global:RoutingRules',
    '* global:metadata/owner',
    '+ global:metadata/new',
    '- zone1:metadata/other',
  ]);
  expect(lines).toContain('= zone2:SrvVSchema');
});

test('--output jsonl ends with the verdict', async () => {
  await pair.put('source', 'global', 'metadata/owner', 'changed');
  const { out } = await pair.verify('--output', 'jsonl');
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ line: 'verdict', decision: 'different' });
  expect(lines.filter(({ line }) => line === 'difference')).toMatchObject([{ path: 'metadata/owner' }]);
});

test('--fail-on and --ignore decide the exit code, and a rule that there is not is refused', async () => {
  // The address of each cell is the destination's own, as it is to be.
  expect(await pair.verify()).toMatchObject({ code: 0 });
  expect(await pair.verify('--fail-on', 'expected')).toMatchObject({ code: 1 });
  await pair.put('source', 'global', 'metadata/owner', 'changed');
  expect(await pair.verify('--fail-on', 'dangerous')).toMatchObject({
    code: 0,
    out: expect.stringContaining('accepted'),
  });
  expect(await pair.verify('--fail-on', 'repairable')).toMatchObject({ code: 1 });
  const ignored = await pair.verify('--ignore', 'metadata.contents');
  expect(ignored).toMatchObject({ code: 0, out: expect.stringContaining('ignored, as asked: 1 record') });
  expect(ignored.out).toContain('metadata/owner');
  expect(await pair.verify('--ignore', 'metadat')).toMatchObject({
    code: 2,
    err: expect.stringContaining('metadata'),
  });
});

test('--output html is a page of its own, in which names and values are no markup', async () => {
  const { tags } = { tags: { x: '<script>alert("1")</script>', y: "' onload='" } };
  await pair.put(
    'destination',
    'zone1',
    'tablets/zone1-0000000100/Tablet',
    encode('topodata.Tablet', { tags }),
  );
  const { code, out } = await pair.verify('--output', 'html');
  expect(code).toBe(1);
  expect(out).toMatch(/^<!doctype html>/);
  expect(out).not.toMatch(/<script|onload='|https?:|src=|href=/);
  expect(out).toContain('&#60;script&#62;');
  const opened = [...out.matchAll(/<(details|div|table|ul|p|span|code)\b/g)].length;
  const closed = [...out.matchAll(/<\/(details|div|table|ul|p|span|code)>/g)].length;
  expect(opened).toBe(closed);
});

test('--output html counts what there is, what differs first', async () => {
  await pair.put('source', 'global', 'metadata/new', 'x');
  const { out } = await pair.verify('--output', 'html');
  const heads = [...out.matchAll(/<th>([^<]*)<\/th>/g)].map(([, head]) => head);
  expect(heads).toEqual(['store', 'kind', 'missing', 'as expected', 'equal']);
});
