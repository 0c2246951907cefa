import assert from 'node:assert/strict';
import { needs, theme } from './sentence.js';
import { changesNothing, holds, must, pattern, picture, refuses, sameBytes, utf8 } from './tools.js';

export const values = theme(
  'values',
  [
    {
      title: 'a record of zero bytes is a record',
      run: async ({ connection, capabilities }) => {
        const empty = new Uint8Array(0);
        const version = await connection.create('d/empty', empty);
        assert.ok((await holds(connection, 'd/empty', empty)).equals(version));
        const next = await connection.update('d/empty', utf8('full'), version);
        await connection.update('d/empty', empty, next);
        await holds(connection, 'd/empty', empty);
        assert.deepEqual(await connection.listDir('d'), ['empty']);
        assert.deepEqual(Object.keys(await picture(connection)), ['d/empty']);
        await refuses(connection, 'NodeExists', connection.create('d/empty', empty));
        if (capabilities.batch.maxOps > 0) {
          await connection.write([{ type: 'create', path: 'd/batched', bytes: empty }]);
          await holds(connection, 'd/batched', empty);
        }
      },
    },
    {
      title: 'every byte is kept, in any order and of any text',
      run: async ({ connection, capabilities }) => {
        const samples = {
          all: Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
          reversed: Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i)),
          zero: Buffer.from([0]),
          zeros: Buffer.alloc(1_000),
          notText: Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
          lines: utf8('a\r\nb\n\n'),
          text: utf8('null'),
          random: pattern(70_000),
        };
        for (const [name, bytes] of Object.entries(samples)) {
          await connection.create(`created/${name}`, bytes);
          await connection.update(
            `updated/${name}`,
            bytes,
            await connection.create(`updated/${name}`, utf8('x')),
          );
          if (capabilities.batch.maxOps > 0)
            await connection.write([{ type: 'create', path: `batched/${name}`, bytes }]);
        }
        const ways =
          capabilities.batch.maxOps > 0 ? ['created', 'updated', 'batched'] : ['created', 'updated'];
        for await (const page of connection.scan('')) {
          for (const record of page.records) {
            const name = must(record.path.split('/')[1]) as keyof typeof samples;
            sameBytes(record.bytes, samples[name], `scan ${record.path}`);
          }
        }
        for (const way of ways)
          for (const [name, bytes] of Object.entries(samples))
            await holds(connection, `${way}/${name}`, bytes);
      },
    },
    {
      title: 'bytes may be any view: a part of a larger array is written as that part',
      run: async ({ connection }) => {
        const whole = pattern(300);
        const part = new Uint8Array(whole.buffer, whole.byteOffset + 100, 50);
        await connection.create('a', part);
        await holds(connection, 'a', whole.subarray(100, 150));
      },
    },
    {
      title: 'what the caller does to the bytes after the write does not reach the record',
      run: async ({ connection, capabilities }) => {
        const bytes = utf8('as written');
        const version = await connection.create('a', bytes);
        bytes.fill(0);
        await holds(connection, 'a', 'as written');
        const next = utf8('as updated');
        await connection.update('a', next, version);
        next.fill(0);
        await holds(connection, 'a', 'as updated');
        if (capabilities.batch.maxOps === 0) return;
        const batched = utf8('as batched');
        await connection.write([{ type: 'create', path: 'b', bytes: batched }]);
        batched.fill(0);
        await holds(connection, 'b', 'as batched');
      },
    },
    {
      title: 'bytes that were delivered stay as they are when the record changes',
      run: async ({ connection }) => {
        const version = await connection.create('a', utf8('first'));
        const { bytes } = await connection.get('a');
        await connection.update('a', utf8('other'), version);
        await connection.delete('a', null);
        sameBytes(bytes, utf8('first'), 'the delivered value');
      },
    },
    {
      title: 'a value of capabilities.maxValueBytes is kept, by every way of writing it',
      when: needs.valueLimit,
      run: async ({ connection, capabilities }) => {
        const largest = pattern(capabilities.maxValueBytes);
        const version = await connection.create('d/created', largest);
        await holds(connection, 'd/created', largest);
        const other = pattern(capabilities.maxValueBytes, 2);
        await connection.update('d/created', other, version);
        await holds(connection, 'd/created', other);
        await connection.update('d/made', largest, null);
        await holds(connection, 'd/made', largest);
        let total = 0;
        for await (const page of connection.scan(''))
          for (const record of page.records) total += record.bytes.length;
        assert.equal(total, 2 * capabilities.maxValueBytes);
      },
    },
    {
      title: 'a value of one byte less is kept too',
      when: needs.valueLimit,
      run: async ({ connection, capabilities }) => {
        const large = pattern(capabilities.maxValueBytes - 1);
        await connection.create('a', large);
        await holds(connection, 'a', large);
      },
    },
    {
      title: 'a larger value is TooLarge, and nothing is written',
      when: needs.valueLimit,
      run: async ({ connection, capabilities }) => {
        const version = await connection.create('there', utf8('x'));
        for (const excess of [1, 1_000, capabilities.maxValueBytes]) {
          const bytes = Buffer.alloc(capabilities.maxValueBytes + excess);
          await changesNothing(connection, async () => {
            await refuses(connection, 'TooLarge', connection.create('d/new', bytes), { path: 'd/new' });
            await refuses(connection, 'TooLarge', connection.update('there', bytes, version), {
              path: 'there',
            });
            await refuses(connection, 'TooLarge', connection.update('d/new', bytes, null), { path: 'd/new' });
            if (capabilities.batch.maxOps === 0) return;
            const batch = [
              { type: 'create', path: 'small', bytes: utf8('x') },
              { type: 'create', path: 'd/new', bytes },
            ] as const;
            await refuses(connection, 'TooLarge', connection.write(batch));
          });
        }
        await holds(connection, 'there', 'x');
      },
    },
    {
      title: 'the largest value fits at the longest path',
      when: {
        text: 'where capabilities.maxValueBytes and maxPathBytes are finite',
        holds: (facts) => needs.valueLimit.holds(facts) && needs.pathLimit.holds(facts),
      },
      run: async ({ connection, capabilities, root }) => {
        const room = capabilities.maxPathBytes - Buffer.byteLength(root) - 1;
        const path = `${'p'.repeat(Math.min(room - 2, 200))}/${'q'.repeat(Math.max(1, room - 201))}`.slice(
          0,
          room,
        );
        const largest = pattern(capabilities.maxValueBytes);
        const version = await connection.create(path, largest);
        await holds(connection, path, largest);
        await connection.update(path, pattern(capabilities.maxValueBytes, 2), version);
      },
    },
    {
      title: 'several large values are read in one scan',
      run: async ({ connection, capabilities }) => {
        const size = Math.min(capabilities.maxValueBytes, 1_000_000);
        for (let i = 0; i < 6; i++) await connection.create(`d/${i}`, pattern(size, i + 1));
        let seen = 0;
        for await (const page of connection.scan('d')) {
          for (const record of page.records) {
            sameBytes(record.bytes, pattern(size, seen + 1), record.path);
            seen += 1;
          }
        }
        assert.equal(seen, 6);
      },
    },
  ],
  needs.writes,
);
