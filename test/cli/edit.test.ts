import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decode, encode } from '../../src/topo/codec.js';
import { cli } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';
import { emptyStore } from './sample.js';
import { keptText, writing } from './writing-topology.js';

const on = writing();
// Where drafts are kept, and nothing else: every test must leave it empty.
let drafts: string;
beforeEach(async () => {
  drafts = await mkdtemp(join(on.work.folder, 'drafts-'));
  vi.stubEnv('TMPDIR', drafts);
});
afterEach(() => {
  vi.unstubAllEnvs();
  expect(readdirSync(drafts)).toEqual([]);
});

const edit = async (path: string, script: string, ...more: string[]) =>
  cli(['edit', on.from, path, ...more], await on.work.editor(script));
const json = async (path: string, message: string, scope = 'global') =>
  decode(message, await on.stored(path, scope)).json;

const KEYSPACE = 'keyspaces/customer/Keyspace';
const TO_NONE = 'sed -i "s/semi_sync/none/" "$1"';

describe('edit', () => {
  test('shows the record decoded under a head that says what it is, in a file for nobody else', async () => {
    const copy = await on.work.file('');
    const script = `cp "$1" ${copy}; stat -c %a "$1" "$(dirname "$1")" >> ${copy}; ${TO_NONE}`;
    const { code, out, err } = await edit(KEYSPACE, script, '--yes');
    expect(err).toBe('');
    expect(out).toMatch(
      /^update global:keyspaces\/customer\/Keyspace\n {4}durability_policy: "semi_sync" → "none"\n/,
    );
    expect(out).toMatch(/done 1 record\n$/);
    expect(code).toBe(0);
    expect(await json(KEYSPACE, 'topodata.Keyspace')).toEqual({
      durability_policy: 'none',
      sidecar_db_name: '_vt',
    });
    const shown = await cli(['put', on.from, 'metadata/shown', '--file', copy]).then(() =>
      on.stored('metadata/shown'),
    );
    expect(shown.toString()).toMatch(
      /^# Keyspace keyspaces\/customer\/Keyspace, in the global store\n# memory:.*\n# version: \S+\n# Lines that begin with # or \/\/ do not count\..*\n\{\n {2}"durability_policy": "semi_sync",\n {2}"sidecar_db_name": "_vt"\n\}\n600\n700\n$/,
    );
  });

  test('keeps fields that this version does not know', async () => {
    const unknown = Buffer.from([0xfa, 0x01, 0x01, 0x41]);
    const bytes = Buffer.concat([encode('topodata.Keyspace', { durability_policy: 'semi_sync' }), unknown]);
    await withStore(on.from, (store) => store.update(KEYSPACE, bytes, null));
    expect(
      (await edit(KEYSPACE, `grep -q 'kept as they are: unknown fields #31' "$1"; ${TO_NONE}`, '--yes')).code,
    ).toBe(0);
    expect(await on.stored(KEYSPACE)).toEqual(
      Buffer.concat([encode('topodata.Keyspace', { durability_policy: 'none' }), unknown]),
    );
  });

  test('of a record in a cell’s store', async () => {
    const path = 'tablets/zone2-0000000101/Tablet';
    const { code } = await edit(path, 'sed -i "s/tablet-101/moved-101/" "$1"', '--cell', 'zone2', '--yes');
    expect(code).toBe(0);
    expect(await json(path, 'topodata.Tablet', 'zone2')).toMatchObject({
      hostname: 'moved-101.zone2.example.com',
    });
  });

  test('changes nothing when the text is left as it is, or says the same in other words', async () => {
    const before = await on.everything();
    for (const script of [':', 'tr -d " " < "$1" > "$1.new"; mv "$1.new" "$1"', 'echo "# hm" >> "$1"'])
      expect(await edit(KEYSPACE, script)).toMatchObject({ code: 0, err: '', out: 'nothing to change\n' });
    expect(await on.everything()).toEqual(before);
  });

  test('only shows with --dry-run', async () => {
    const before = await on.everything();
    const { code, out } = await edit(KEYSPACE, TO_NONE, '--dry-run');
    expect(out).toMatch(/"semi_sync" → "none"[\s\S]*\(needs --yes\)[\s\S]*dry run: nothing is written/);
    expect(code).toBe(0);
    expect(await on.everything()).toEqual(before);
  });

  test('is one document for programs', async () => {
    const { out } = await edit(KEYSPACE, TO_NONE, '--yes', '--output', 'json');
    expect(JSON.parse(out)).toMatchObject({ command: 'edit', written: true, changes: [{ path: KEYSPACE }] });
  });

  test('takes $VISUAL before $EDITOR, with arguments', async () => {
    const { EDITOR = '' } = await on.work.editor('[ "$1" = "two words" ]; sed -i "s/semi_sync/$2/" "$3"');
    const env = { VISUAL: `${EDITOR} "two words" cross_cell`, EDITOR: 'false' };
    expect((await cli(['edit', on.from, KEYSPACE, '--yes'], env)).code).toBe(0);
    expect(await json(KEYSPACE, 'topodata.Keyspace')).toMatchObject({ durability_policy: 'cross_cell' });
  });
});

describe('edit of raw records', () => {
  test('is of their text, and leaves line ends as they were', async () => {
    const bench = 'sed -i "s/payments/ledger/" "$1"';
    // As vi does: a line feed at the end where there was none.
    expect((await edit('metadata/owner', `${bench}; echo >> "$1"`)).code).toBe(0);
    expect((await on.stored('metadata/owner')).toString()).toBe('ledger');
    expect((await edit('metadata/owner', 'echo >> "$1"')).out).toBe('nothing to change\n');
    await withStore(on.from, (store) => store.create('metadata/lines', Buffer.from('# one\r\n// two\n\n')));
    expect((await edit('metadata/lines', 'echo three >> "$1"')).code).toBe(0);
    expect((await on.stored('metadata/lines')).toString()).toBe('# one\r\n// two\n\nthree\n');
  });

  test('is refused where they are no text', async () => {
    expect(await edit('custom/dashboard.bin', ':')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no text.*\n.*cat --raw/),
    });
  });

  test('of a cell, looked for at the address of its own store, are sent to --cell', async () => {
    const [tablet = ''] = [...(await contents(on.at('zone1'))).keys()].filter((path) =>
      path.endsWith('/Tablet'),
    );
    expect(await cli(['edit', on.at('zone1'), tablet], await on.work.editor(':'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/a Tablet stands there in a cell's store: .* --cell NAME/),
    });
  });

  test('needs the line that the record begins behind', async () => {
    const { code, err } = await edit('metadata/owner', 'grep -q "^# !!" "$1" || echo new > "$1"');
    expect(err).toMatch(/begins behind is gone.*\n.*is kept in/);
    expect(code).toBe(2);
    expect(await keptText(err)).toMatch(/^# !! the line .*\n# !! put it back: # -+ .*\nnew\n$/);
  });
});

test('a name with an end of line in it does not end the comment that it is in', async () => {
  const path = 'keyspaces/a\n{}/Keyspace';
  const bytes = encode('topodata.Keyspace', { durability_policy: 'semi_sync' });
  // etcd takes any name.
  const { to } = emptyStore();
  await withStore(to, (store) => store.create(path, bytes));
  const edited = await cli(['edit', to, path, '--yes'], await on.work.editor(TO_NONE));
  expect(edited).toMatchObject({ code: 0, err: '' });
});

describe('a mistake', () => {
  test('has the editor opened again with the reason at the top, until it is mended', async () => {
    const log = await on.work.file('');
    const script = `head -2 "$1" >> ${log}
if grep -q '^# !! .*unknown field' "$1"; then sed -i 's/"durable"/"durability_policy"/' "$1"
elif grep -q '^# !! .*no JSON' "$1"; then sed -i 's/ oops//' "$1"
else sed -i 's/"durability_policy": "semi_sync"/"durable": oops "none"/' "$1"; fi`;
    expect(await edit(KEYSPACE, script, '--yes')).toMatchObject({ code: 0, err: '' });
    expect(await json(KEYSPACE, 'topodata.Keyspace')).toMatchObject({ durability_policy: 'none' });
    const heads = await cli(['put', on.from, 'metadata/log', '--file', log]).then(() =>
      on.stored('metadata/log'),
    );
    expect(heads.toString()).toMatch(
      /^# Keyspace .*\n# memory.*\n# !! this is no JSON: .*\(line 8\)\n# !! write one JSON object.*\n# !! not a topodata\.Keyspace: durable: unknown field\n# !! take names/,
    );
  });

  test('that is left as it is stops the edit, and the text is kept', async () => {
    const before = await on.everything();
    const script = 'grep -q "^# !!" "$1" || sed -i "s/gA==/QA==/" "$1"';
    const { code, out, err } = await edit('keyspaces/customer/shards/-80/Shard', script, '--yes');
    expect(err).toMatch(
      /name of shard -80 stands for -80, and key_range is -40.*\n.*--force; what was edited is kept in/,
    );
    expect(out).toBe('');
    expect(code).toBe(2);
    expect(await keptText(err)).toMatch(/^# !! the name of shard -80[\s\S]*"end": "QA=="/);
    expect(await on.everything()).toEqual(before);
  });

  test('that a program makes again and again stops the edit at the second time', async () => {
    const before = await on.everything();
    const { code, err } = await edit(KEYSPACE, 'echo "durable: none" > "$1"', '--yes');
    expect(code).toBe(2);
    expect(await keptText(err)).toBe('durable: none\n');
    expect(await on.everything()).toEqual(before);
  });

  test('that is taken back changes nothing', async () => {
    const script = 'if grep -q "^# !!" "$1"; then sed -i "s/^x$//" "$1"; else echo x >> "$1"; fi';
    expect(await edit(KEYSPACE, script)).toMatchObject({ code: 0, out: 'nothing to change\n' });
  });
});

describe('an edit that cannot be written', () => {
  test('of a record that moved meanwhile is refused, its text kept, and not taken for the new version', async () => {
    const other = encode('topodata.Keyspace', { durability_policy: 'cross_cell' });
    const { code, err } = await withStore(on.from, async (store) => {
      let change: Promise<unknown> | undefined;
      const onOut = () => {
        change ??= store.update(KEYSPACE, other, null);
      };
      const result = await cli(
        ['edit', on.from, KEYSPACE, '--yes', '--force'],
        await on.work.editor(TO_NONE),
        {
          onOut,
        },
      );
      await change;
      return result;
    });
    expect(err).toMatch(/\[BadVersion\]\n.*edit the record anew; what was edited is kept in \S+\n$/);
    expect(code).toBe(3);
    const text = await keptText(err);
    expect(text).toContain('"durability_policy": "none"');
    expect(await on.stored(KEYSPACE)).toEqual(Buffer.from(other));

    const again = await edit(KEYSPACE, `cp ${await on.work.file(text)} "$1"`, '--yes');
    expect(again).toMatchObject({ code: 3, err: expect.stringMatching(/made from version .*BadVersion/) });
    await keptText(again.err);
    expect(await on.stored(KEYSPACE)).toEqual(Buffer.from(other));
  });

  test('for want of --yes is kept, and goes in as it is afterwards', async () => {
    const { code, out, err } = await edit(KEYSPACE, TO_NONE);
    expect(out).toMatch(/\(needs --yes\)/);
    expect(err).toMatch(/add --yes; what was edited is kept in/);
    expect(code).toBe(4);
    const text = await keptText(err);
    expect((await edit(KEYSPACE, `cp ${await on.work.file(text)} "$1"`, '--yes')).code).toBe(0);
    expect(await json(KEYSPACE, 'topodata.Keyspace')).toMatchObject({ durability_policy: 'none' });
  });

  test.each([
    ['false', /the editor \S+ failed: exit code 1/],
    ['exit 3', /failed: exit code 3/],
    ['rm "$1"', /left no file/],
  ])('by an editor that does %s', async (script, message) => {
    const before = await on.everything();
    expect(await edit(KEYSPACE, script)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(message),
    });
    expect(await on.everything()).toEqual(before);
  });

  test('by an editor that is not there, or leaves no UTF-8', async () => {
    const missing = await cli(['edit', on.from, KEYSPACE], { EDITOR: '/nowhere/editor' });
    expect(missing).toMatchObject({ code: 2, err: expect.stringMatching(/exit code 127/) });
    const { code, err } = await edit(KEYSPACE, 'printf "\\377" >> "$1"');
    expect(err).toMatch(/not UTF-8.*\n.*kept in/);
    expect(code).toBe(2);
    await keptText(err);
  });

  test('to a record that is not there, does not decode, or belongs to others', async () => {
    const opened = await on.work.file('');
    const never = `echo opened > ${opened}`;
    await withStore(on.from, async (store) => {
      await store.create('keyspaces/broken/Keyspace', Uint8Array.from([0xff, 0xff]));
      await store.create('keyspaces/commerce/locks/1', Uint8Array.from([1]));
    });
    for (const [path, code, message] of [
      ['keyspaces/none/Keyspace', 3, /no record to edit.*NoNode\]\n.*put makes/],
      ['keyspaces', 3, /NoNode/],
      ['keyspaces/broken/Keyspace', 3, /Corrupt\]\n.*put replaces/],
      ['keyspaces/commerce/locks/1', 4, /entry of a lock/],
      ['', 2, /no path is given/],
    ] as const)
      expect(await edit(path, never)).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
    expect(existsSync(opened)).toBe(true);
    expect((await cli(['put', on.from, 'metadata/opened', '--file', opened, '--yes'])).code).toBe(0);
    expect(await on.stored('metadata/opened')).toHaveLength(0);
  });
});
