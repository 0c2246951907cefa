import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { ErrorCode, type TopologyError } from '../../src/topo/errors.js';
import { fixtures } from '../support/fixtures.js';
import { ManualClock } from '../support/manual-clock.js';
import { openFile, temporaryFiles, texts, withFile } from './file-tools.js';

const temporary = temporaryFiles();
const GOLDEN = new URL('./file-golden.topo', import.meta.url);

/** The records of the golden file; none is text that anything would decode by chance. */
const RECORDS: readonly (readonly [scope: string, path: string, hex: string])[] = [
  [
    'zone1',
    'tablets/zone1-0000000100/Tablet',
    '0a090a057a6f6e65311064120364623122070a0276741098752a08636f6d6d657263653201304001',
  ],
  ['global', 'keyspaces/commerce/Keyspace', '420973656d695f73796e63'],
  ['global', 'cells/zone1/CellInfo', '0a0e6c6f63616c686f73743a32313831120d2f7669746573732f7a6f6e6531'],
  ['global', 'notes/raw', '00ff0a22'],
  ['global', 'keyspaces/empty/Keyspace', ''],
];

async function writeRecords(file: string, records = RECORDS, clock = new ManualClock()): Promise<void> {
  const scopes = [...new Set(records.map(([scope]) => scope))];
  const opened = await Promise.all(
    scopes.map(async (scope) => [scope, await openFile(file, scope, { clock })] as const),
  );
  const connections = new Map(opened);
  for (const [scope, path, hex] of records)
    await connections.get(scope)?.create(path, Buffer.from(hex, 'hex'));
  for (const connection of connections.values()) await connection.close();
}

async function refusal(file: string): Promise<TopologyError> {
  const connection = await openFile(file).catch((error: TopologyError) => error);
  if ('code' in connection) return connection;
  await connection.close();
  throw new Error('the file was accepted');
}

const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');

/** A line with its checksum made anew. */
function seal(line: string): string {
  const body = line.replace(/,"crc":"[0-9a-f]{8}"\}$/, '');
  return `${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`;
}

function rewrite(name: string, change: (lines: string[]) => string[]): string {
  const file = temporary(name);
  writeFileSync(file, `${change(readFileSync(GOLDEN, 'utf8').trimEnd().split('\n')).join('\n')}\n`);
  return file;
}

describe('the form of a topology file', () => {
  test('is that of the golden file, byte for byte but for the version of the tool', async () => {
    const file = temporary('written.topo');
    await writeRecords(file);
    const tool = /"tool":"[^"]*"/;
    const [first = '', ...rest] = linesOf(file);
    const [goldenFirst = '', ...goldenRest] = readFileSync(GOLDEN, 'utf8').trimEnd().split('\n');
    expect(rest).toEqual(goldenRest);
    expect(seal(first.replace(tool, ''))).toBe(seal(goldenFirst.replace(tool, '')));
  });

  test('gives every byte back', async () => {
    const file = temporary('read.topo');
    copyFileSync(GOLDEN, file);
    const before = readFileSync(file);
    for (const [scope, path, hex] of RECORDS) {
      const { bytes } = await withFile(file, scope, (connection) => connection.get(path));
      expect(Buffer.from(bytes).toString('hex')).toBe(hex);
    }
    expect(readFileSync(file).equals(before), 'reading writes nothing').toBe(true);
  });

  test('is the same for the same records, whatever was done in which order, except for the first line', async () => {
    const [a, b] = [temporary('order-a.topo'), temporary('order-b.topo')];
    await writeRecords(a);
    await writeRecords(b, [...RECORDS].reverse(), new ManualClock(1_800_000_000_000));
    await withFile(b, 'zone1', async (connection) => {
      const version = await connection.create('gone', Buffer.from('x'));
      await connection.delete('gone', version);
    });
    expect(linesOf(b).slice(1)).toEqual(linesOf(a).slice(1));
    expect(linesOf(b)[0]).not.toBe(linesOf(a)[0]);
  });

  describe.runIf(fixtures('vitess-v24-small') !== undefined)('for a topology written by Vitess', () => {
    test('keeps every byte, and shows what Vitess shows', async () => {
      const records = fixtures('vitess-v24-small') ?? [];
      const file = temporary('fixture.topo');
      await writeRecords(
        file,
        records.map(({ scope, path, value }) => [scope, path, value.toString('hex')] as const),
      );
      const shown = linesOf(file)
        .slice(1, -1)
        .map((line): unknown => JSON.parse(line));
      expect(shown).toEqual(
        records.map(({ scope, path, value, json }) =>
          expect.objectContaining({
            scope,
            path,
            base64: value.toString('base64'),
            ...(json === null ? {} : { json }),
          }),
        ),
      );
    });
  });
});

test('a record whose JSON has fields that are called as those of the line is what its bytes say', async () => {
  const file = temporary('names.topo');
  const tags = { base64: 'AAAA', path: 'x', scope: '","base64":"AAAA"', '"base64":"': '","base64":"' };
  const bytes = Buffer.from(encode('topodata.Tablet', { hostname: 'h', tags }));
  await writeRecords(file, [['zone1', 'tablets/zone1-0000000001/Tablet', bytes.toString('hex')]]);
  expect(linesOf(file)[1]).toContain('"base64":"AAAA"');
  await withFile(file, 'zone1', async (connection) => {
    const { bytes: read } = await connection.get('tablets/zone1-0000000001/Tablet');
    expect(Buffer.from(read)).toEqual(bytes);
  });
});

describe('a damaged file is refused as Corrupt', () => {
  test('cut off at any byte, with the line named', async () => {
    const whole = readFileSync(GOLDEN);
    const file = temporary('cut.topo');
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const { code, message } = await refusal(file);
      expect(code, `cut at ${length}`).toBe(ErrorCode.Corrupt);
      const line = whole.subarray(0, length).toString('latin1').split('\n').length;
      const end = whole[length - 1] === 0x0a ? `the file ends after line ${line - 1}` : `line ${line}`;
      expect(message).toContain(length === 0 ? 'the file is empty' : end);
    }
  });

  test('cut off within a record, with its scope and path named, or those of the one before', async () => {
    const text = readFileSync(GOLDEN, 'utf8');
    const file = temporary('cut-record.topo');
    writeFileSync(file, text.slice(0, text.indexOf('tablets/zone1-0000000100/Tablet"') + 40));
    expect((await refusal(file)).message).toContain('line 6 (zone1 tablets/zone1-0000000100/Tablet)');
    writeFileSync(file, text.slice(0, text.indexOf('tablets/zone1-0000000100/Tablet"') + 5));
    expect((await refusal(file)).message).toContain('line 6 (after global notes/raw)');
  });

  test('with any byte changed', async () => {
    const whole = readFileSync(GOLDEN);
    const file = temporary('flipped.topo');
    for (let at = 0; at < whole.length; at++) {
      for (const changed of new Set([(whole[at] ?? 0) ^ 0x01, (whole[at] ?? 0) ^ 0x20, 0x0a])) {
        if (changed === whole[at]) continue;
        const altered = Buffer.from(whole);
        altered[at] = changed;
        writeFileSync(file, altered);
        expect((await refusal(file)).code, `byte ${at}`).toBe(ErrorCode.Corrupt);
      }
    }
  });

  test('with a record left out, doubled, moved, or put in from elsewhere, line by line in order', async () => {
    const [left, doubled, moved] = [
      rewrite('left-out.topo', (lines) => lines.toSpliced(3, 1)),
      rewrite('doubled.topo', (lines) => lines.toSpliced(3, 0, lines[3] ?? '')),
      rewrite('moved.topo', (lines) => lines.toSpliced(2, 2, lines[3] ?? '', lines[2] ?? '')),
    ];
    expect((await refusal(left)).message).toContain(
      'line 6 (after zone1 tablets/zone1-0000000100/Tablet): the file has 4 records',
    );
    expect((await refusal(doubled)).message).toContain('line 5 (after global keyspaces/empty/Keyspace)');
    expect((await refusal(moved)).message).toContain('line 4 (after global keyspaces/empty/Keyspace)');
    const exchanged = rewrite('exchanged.topo', (lines) =>
      lines.with(4, seal((lines[4] ?? '').replace('notes/raw', 'notes/saw'))),
    );
    expect((await refusal(exchanged)).message).toContain(
      'the records are not those that the closing line was made for',
    );
  });

  test('with the JSON for readers altered', async () => {
    const file = rewrite('json.topo', (lines) =>
      lines.map((line) => line.replace('/vitess/zone1', '/vitess/zone2')),
    );
    expect(await refusal(file)).toMatchObject({
      code: ErrorCode.Corrupt,
      message: expect.stringContaining('line 2 (global cells/zone1/CellInfo): it is cut off or altered'),
    });
  });

  test('and no message shows a value', async () => {
    const file = rewrite('secret.topo', (lines) =>
      lines.map((line) => line.replace('"base64":"', '"base64":"c2VjcmV0')),
    );
    expect((await refusal(file)).message).not.toContain('c2VjcmV0');
  });
});

describe('what is no topology file is refused with a clear message', () => {
  test('a file of another kind', async () => {
    const file = temporary('other.txt');
    for (const text of ['hello\n', '{"scope":"global"}\n', '\0\0\0\0', '{"format":"topo2topo']) {
      writeFileSync(file, text);
      expect(await refusal(file)).toMatchObject({
        code: ErrorCode.Corrupt,
        message: expect.stringContaining(
          'line 1: this is not the first line of a topology file of topo2topo',
        ),
      });
    }
  });

  test('a whole file of a format version to come', async () => {
    const file = rewrite('version.topo', ([first = '', ...rest]) => [
      seal(first.replace('"version":1', '"version":2')),
      ...rest,
    ]);
    expect(await refusal(file)).toMatchObject({
      code: ErrorCode.Unsupported,
      message: expect.stringContaining('format version 2, this program reads version 1'),
    });
  });

  test('a folder', async () => {
    const file = temporary('folder.topo');
    mkdirSync(file);
    expect((await refusal(file)).code).toBe(ErrorCode.InvalidAddress);
  });

  test('a root that is no part of a file', async () => {
    await expect(openFile(temporary('x.topo'), 'zone1/inner')).rejects.toMatchObject({
      code: ErrorCode.InvalidAddress,
      hint: expect.stringContaining('/global'),
    });
  });

  test('a name in a folder that does not exist', async () => {
    await expect(openFile(temporary('no-folder/x.topo'))).rejects.toMatchObject({
      code: ErrorCode.Unavailable,
      retryable: false,
    });
  });
});

describe('changes after the sorted records', () => {
  /** A file whose writer is still at work: its text, the length of its sorted part, and the changes by length. */
  async function unfolded(name: string): Promise<{ bytes: Buffer; base: number }> {
    const file = temporary(name);
    await writeRecords(file);
    const base = readFileSync(file).length;
    const connection = await openFile(file);
    await connection.create('tail/a', Buffer.from('1'));
    await connection.write([
      { type: 'create', path: 'tail/b', bytes: Buffer.from('1') },
      { type: 'delete', path: 'tail/a', version: null },
    ]);
    const bytes = readFileSync(file);
    await connection.close();
    return { bytes, base };
  }

  test('are read; an unfinished last line was never acknowledged and is left out, with a notice', async () => {
    const { bytes, base } = await unfolded('tail.topo');
    const file = temporary('tail-cut.topo');
    const notices: string[] = [];
    const emit = vi
      .spyOn(process, 'emitWarning')
      .mockImplementation((text) => void notices.push(String(text)));
    const firstEnd = bytes.indexOf('\n', base) + 1;
    for (let length = base; length <= bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length));
      const { tail } = await withFile(file, 'global', async (connection) => ({
        tail: Object.keys(await texts(connection)).filter((path) => path.startsWith('tail/')),
      }));
      expect(tail).toEqual(length === bytes.length ? ['tail/b'] : length >= firstEnd ? ['tail/a'] : []);
      const whole = length === base || length === firstEnd || length === bytes.length;
      expect(notices.splice(0)).toEqual(whole ? [] : [expect.stringMatching(/line [89] is unfinished/)]);
    }
    emit.mockRestore();
  });

  test('with any byte changed are refused as Corrupt', async () => {
    const { bytes, base } = await unfolded('tail-whole.topo');
    const file = temporary('tail-flipped.topo');
    for (let at = base; at < bytes.length; at++) {
      for (const changed of new Set([(bytes[at] ?? 0) ^ 0x01, (bytes[at] ?? 0) ^ 0x20, 0x0a])) {
        if (changed === bytes[at]) continue;
        const altered = Buffer.from(bytes);
        altered[at] = changed;
        writeFileSync(file, altered);
        expect((await refusal(file)).code, `byte ${at}`).toBe(ErrorCode.Corrupt);
      }
    }
  });

  test('with a line missing are refused as Corrupt', async () => {
    const { bytes, base } = await unfolded('tail-gap.topo');
    const file = temporary('tail-missing.topo');
    writeFileSync(
      file,
      Buffer.concat([bytes.subarray(0, base), bytes.subarray(bytes.indexOf('\n', base) + 1)]),
    );
    expect((await refusal(file)).message).toContain('line 8: change 7 follows change 5');
  });

  test('vanish when the next process that writes closes the file', async () => {
    const { bytes } = await unfolded('tail-left.topo');
    const file = temporary('tail-folded.topo');
    writeFileSync(file, bytes.subarray(0, bytes.length - 3));
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await withFile(file, 'global', (connection) => connection.delete('tail/a', null));
    emit.mockRestore();
    expect(linesOf(file).slice(1)).toEqual(readFileSync(GOLDEN, 'utf8').trimEnd().split('\n').slice(1));
  });
});
