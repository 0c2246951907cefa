import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/topo/address.js';
import { encode } from '../../src/topo/codec.js';
import { placesInMemory, plantSample } from '../copy/followers.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { CopiedPair } from './copied-pair.js';

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(() => pair.remove());

const certificate = (name: string) => JSON.parse(readFileSync(pair.at(name), 'utf8'));

function keys(): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(pair.at('key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(pair.at('pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

describe('a certificate', () => {
  test('says what was compared, and follows its schema', async () => {
    expect(await pair.verify('--certificate', pair.at('c.json'))).toMatchObject({ code: 0 });
    const schema = JSON.parse(readFileSync('schema/certificate.schema.json', 'utf8'));
    const validate = new Ajv2020({ strictRequired: false }).compile(schema);
    expect(validate(certificate('c.json')), JSON.stringify(validate.errors)).toBe(true);
    const { decision, compared, parts, differences } = certificate('c.json').certificate;
    expect({ decision, differences }).toEqual({ decision: 'equal', differences: [] });
    const records = parts.flatMap((part: { groups: { source: { records: number } }[] }) => part.groups);
    expect(
      records.reduce((sum: number, group: { source: { records: number } }) => sum + group.source.records, 0),
    ).toBe(compared);
    expect(parts.map((part: { scope: string }) => part.scope)).toEqual(['global', 'zone1', 'zone2']);
  });

  test('has digests that anybody can make by the recipe of the documentation', async () => {
    await pair.verify('--certificate', pair.at('c.json'));
    const sha = (...parts: (Buffer | string)[]) => {
      const hash = createHash('sha256');
      for (const part of parts) hash.update(part);
      return hash.digest();
    };
    const records = [...(await contents(pair.places.source('zone1')))]
      .filter(([path]) => /^tablets\/[^/]+\/Tablet$/.test(path))
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const tablets = records.map(([path, bytes]) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(path));
      return sha(length, path, bytes);
    });
    const { parts, digests } = certificate('c.json').certificate;
    const zone1 = parts.find((part: { scope: string }) => part.scope === 'zone1');
    const group = zone1.groups.find((each: { name: string }) => each.name === '/Tablet');
    expect(group.source).toEqual({ records: records.length, digest: sha(...tablets).toString('hex') });
    const lines = (all: { name: string; digest: string }[]) =>
      sha(...all.map(({ name, digest }) => `${name}\0${digest}\n`)).toString('hex');
    const groups = zone1.groups.map((each: { name: string; source: { digest: string } }) => ({
      name: each.name,
      digest: each.source.digest,
    }));
    expect(zone1.source.digest).toBe(lines(groups));
    const sides = parts.map((part: { scope: string; source: { digest: string } }) => ({
      name: part.scope,
      digest: part.source.digest,
    }));
    expect(digests.source).toBe(lines(sides));
  });

  test('of both stores holds until one of them moves, and names what moved', async () => {
    await pair.verify('--certificate', pair.at('c.json'));
    expect(await cli(['certificate', 'check', pair.at('c.json'), ...pair.addresses])).toMatchObject({
      code: 0,
    });
    await pair.put('source', 'global', 'metadata/owner', 'changed');
    await pair.put('destination', 'zone1', 'metadata/new', 'x');
    const { code, out } = await cli(['certificate', 'check', pair.at('c.json'), ...pair.addresses]);
    expect(code).toBe(1);
    expect(out).toContain('source global /Metadata: changed');
    expect(out).toContain('destination zone1 /Unknown: appeared');
    expect(out.match(/: (changed|appeared|gone)/g)).toHaveLength(2);
  });

  test('of other stores does not hold', async () => {
    await pair.verify('--certificate', pair.at('c.json'));
    const others = placesInMemory();
    await plantSample(others);
    const other = [others.source('global'), others.destination('global')];
    await cli(['copy', ...other, '--to-cell-root', others.cellRoot, '--allow-locks']);
    const { code } = await cli(['certificate', 'check', pair.at('c.json'), ...other]);
    expect(code).toBe(1);
  });

  test('is signed, and a changed one is refused', async () => {
    keys();
    await pair.put('source', 'global', 'metadata/owner', 'changed');
    expect(
      await pair.verify('--certificate', pair.at('c.json'), '--certificate-key', pair.at('key')),
    ).toMatchObject({
      code: 1,
    });
    const check = ['certificate', 'check', pair.at('c.json'), '--key', pair.at('pub')];
    expect(await cli(check)).toMatchObject({ code: 1, out: expect.stringContaining('signature: valid') });
    writeFileSync(
      pair.at('c.json'),
      readFileSync(pair.at('c.json'), 'utf8').replace('"decision": "different"', '"decision": "equal"'),
    );
    expect(await cli(check)).toMatchObject({ code: 4 });
  });

  test('that is not signed, or by somebody else, is refused when a key is given', async () => {
    keys();
    await pair.verify('--certificate', pair.at('a.json'));
    expect(await cli(['certificate', 'check', pair.at('a.json'), '--key', pair.at('pub')])).toMatchObject({
      code: 4,
    });
    await pair.verify('--certificate', pair.at('b.json'), '--certificate-key', pair.at('key'));
    keys();
    expect(await cli(['certificate', 'check', pair.at('b.json'), '--key', pair.at('pub')])).toMatchObject({
      code: 4,
    });
  });

  test('whose digests do not fit together is none', async () => {
    await pair.verify('--certificate', pair.at('c.json'));
    const file = certificate('c.json');
    file.certificate.parts[0].groups[0].source.digest = '0'.repeat(64);
    writeFileSync(pair.at('c.json'), JSON.stringify(file));
    expect(await cli(['certificate', 'check', pair.at('c.json')])).toMatchObject({
      code: 3,
      err: expect.stringContaining('digest'),
    });
  });

  test('that says equal and lists differences, or what counts and says accepted, is none', async () => {
    await pair.put('source', 'global', 'metadata/owner', 'changed');
    await pair.verify('--certificate', pair.at('c.json'));
    for (const decision of ['equal', 'accepted']) {
      const file = certificate('c.json');
      expect(file.certificate.decision).toBe('different');
      file.certificate.decision = decision;
      writeFileSync(pair.at(`${decision}.json`), JSON.stringify(file));
      expect(await cli(['certificate', 'check', pair.at(`${decision}.json`)])).toMatchObject({
        code: 3,
        err: expect.stringContaining(`it says ${decision}`),
      });
    }
    await pair.verify('--certificate', pair.at('d.json'), '--fail-on', 'dangerous');
    expect(await cli(['certificate', 'check', pair.at('d.json')])).toMatchObject({ code: 0 });
  });

  test('that lists a loss which nobody accepted, and says equal, or accepted where it counts, is none', async () => {
    for (const [decision, failOn, accepted, code] of [
      ['equal', 'stale', false, 3],
      ['equal', 'dangerous', false, 3],
      ['accepted', 'stale', false, 3],
      ['inconclusive', 'loss', false, 3],
      ['accepted', 'repairable', false, 0],
      ['accepted', 'stale', true, 0],
    ] as const) {
      const name = `${decision}-${failOn}-${accepted}.json`;
      await pair.verify('--certificate', pair.at(name));
      const file = certificate(name);
      Object.assign(file.certificate, { decision, failOn, losses: { state: { values: 1, accepted } } });
      writeFileSync(pair.at(name), JSON.stringify(file));
      const checked = await cli(['certificate', 'check', pair.at(name)]);
      expect([name, checked.code]).toEqual([name, code]);
      if (code !== 0) expect(checked.err).toContain(`it says ${decision}`);
    }
  });

  test('is checked against stores when any of them is named, and refused when the other one is not', async () => {
    await pair.verify('--certificate', pair.at('c.json'));
    const [from = '', to = ''] = pair.addresses;
    for (const half of [[from], ['--to', to], ['--to-server', 'x', '--to-implementation', 'memory']])
      expect(await cli(['certificate', 'check', pair.at('c.json'), ...half])).toMatchObject({ code: 2 });
  });

  test('that could not be signed or written is refused before anything is read', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(pair.at('key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const unsigned = [pair.at('c.json'), '--certificate-key', pair.at('key')];
    for (const wish of [unsigned, [pair.at('no-such-folder/c.json')]]) {
      // It tells each path as it is read.
      const told = await pair.verify('--output', 'marks', '--certificate', ...wish);
      expect(told).toMatchObject({ code: 2, out: '' });
    }
  });

  test('is not written over another one, nor without anything to compare, nor of one store', async () => {
    await pair.verify('--certificate', pair.at('c.json'));
    expect(await pair.verify('--certificate', pair.at('c.json'))).toMatchObject({ code: 2 });
    const empty = placesInMemory();
    const none = ['verify', empty.source('global'), empty.destination('global')];
    expect(await cli([...none, '--certificate', pair.at('d.json')])).toMatchObject({ code: 4 });
    const [from = ''] = pair.addresses;
    expect(await cli(['verify', from, from, '--certificate', pair.at('d.json')])).toMatchObject({ code: 4 });
    expect(() => readFileSync(pair.at('d.json'))).toThrow();
  });

  test('with a cell in which neither side holds anything there is none, unless that is accepted', async () => {
    for (const side of ['source', 'destination'] as const) {
      const { server, root } = parseAddress(pair.places[side]('zone9'));
      const info = encode('topodata.CellInfo', { server_address: server, root });
      await pair.put(side, 'global', 'cells/zone9/CellInfo', info);
    }
    const wish = ['--certificate', pair.at('c.json')];
    expect(await pair.verify(...wish)).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringContaining('nothing is stored on either side for cell zone9'),
    });
    expect(() => readFileSync(pair.at('c.json'))).toThrow();
    expect(await pair.verify(...wish, '--allow-empty-cells')).toMatchObject({ code: 0 });
  });

  test('keys of another kind are refused', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(pair.at('key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(
      await pair.verify('--certificate', pair.at('c.json'), '--certificate-key', pair.at('key')),
    ).toMatchObject({
      code: 2,
    });
  });
});
