import assert from 'node:assert/strict';
import type { DirEntry } from '../../src/topo/connection.js';
import { needs, theme } from './sentence.js';
import { createMany, holds, inByteOrder, refuses, utf8 } from './tools.js';

const file = (name: string): DirEntry => ({ name, type: 'file', ephemeral: false });
const directory = (name: string): DirEntry => ({ name, type: 'directory', ephemeral: false });
const records = (...names: string[]) => names.map((name) => [name, utf8(name)] as const);

export const listing = theme('listing', [
  {
    title: 'listDir gives the names of records and directories, each once',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('d/a', 'd/b/1', 'd/b/2', 'd/b/c/3', 'd/c'));
      assert.deepEqual(await connection.listDir('d'), ['a', 'b', 'c']);
      assert.deepEqual(await connection.listDir('d/b'), ['1', '2', 'c']);
    },
  },
  {
    title: 'listDir of the root gives what is in the root',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('VSchema', 'metadata/zone1/x'));
      assert.deepEqual(await connection.listDir(''), ['VSchema', 'metadata']);
    },
  },
  {
    title: 'names come in the byte order of their UTF-8',
    run: async ({ connection, writer, subject }) => {
      const names = [
        'b',
        'a',
        'B',
        'A',
        '10',
        '9',
        'a-b',
        'a.b',
        'ab',
        'a b',
        'é',
        'z',
        '日',
        'Ω',
        '\uffee',
        '😀',
        '\uffff',
        '𐀀',
      ];
      const legal = names.filter((name) => subject.refusesName?.(name) !== true);
      await createMany(
        writer,
        legal.map((name, i) => [i % 2 === 0 ? `d/${name}` : `d/${name}/x`, utf8('x')] as const),
      );
      assert.deepEqual(await connection.listDir('d'), inByteOrder(legal));
      const full = await connection.listDirFull('d');
      assert.deepEqual(
        full.map((entry) => entry.name),
        inByteOrder(legal),
      );
    },
  },
  {
    title: 'a name that begins like a directory is not in it',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('zone1/a', 'zone10/b', 'zone1-x/c', 'zone1.y', 'zone/d'));
      assert.deepEqual(await connection.listDir('zone1'), ['a']);
      assert.deepEqual(await connection.listDir(''), ['zone', 'zone1', 'zone1-x', 'zone1.y', 'zone10']);
    },
  },
  {
    title: 'listDirFull says what is a file and what a directory',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('d/a', 'd/b/1', 'd/b/2', 'd/empty'));
      assert.deepEqual(await connection.listDirFull('d'), [file('a'), directory('b'), file('empty')]);
      assert.deepEqual(await connection.listDirFull(''), [directory('d')]);
    },
  },
  {
    title: 'listDirFull tells a record of zero bytes from a directory',
    run: async ({ connection, writer }) => {
      await createMany(writer, [
        ['d/zero', utf8('')],
        ['d/dir/zero', utf8('')],
      ]);
      assert.deepEqual(await connection.listDirFull('d'), [directory('dir'), file('zero')]);
    },
  },
  {
    title: 'a directory of 2,000 names lists them all',
    run: async ({ connection, plant }) => {
      const names = Array.from({ length: 2_000 }, (_, i) => `zone1-${String(i).padStart(10, '0')}`);
      await plant(names.map((name) => [`tablets/${name}/Tablet`, utf8('t')] as const));
      assert.deepEqual(await connection.listDir('tablets'), names);
      assert.deepEqual(await connection.listDirFull('tablets'), names.map(directory));
    },
  },
  {
    title: 'listing what is absent is NoNode',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('a/b/c'));
      for (const path of ['x', 'a/x', 'a/b/x', 'x/y/z', 'A']) {
        await refuses(connection, 'NoNode', connection.listDir(path), { path });
        await refuses(connection, 'NoNode', connection.listDirFull(path), { path });
      }
    },
  },
  {
    title: 'a record without children is no directory: listing it is NoNode',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('a/b', 'top'));
      for (const path of ['a/b', 'top']) {
        await refuses(connection, 'NoNode', connection.listDir(path), { path });
        await refuses(connection, 'NoNode', connection.listDirFull(path), { path });
      }
    },
  },
  {
    title: 'below a record without children nothing is found',
    run: async ({ connection, writer }) => {
      await createMany(writer, records('a/b'));
      await refuses(connection, 'NoNode', connection.get('a/b/c'), { path: 'a/b/c' });
      await refuses(connection, 'NoNode', connection.listDir('a/b/c'), { path: 'a/b/c' });
    },
  },
  {
    title: 'an empty place lists as NoNode or as nothing',
    run: async ({ connection }) => {
      const outcome = await connection.listDir('').catch((error: unknown) => error);
      if (Array.isArray(outcome)) assert.deepEqual(outcome, []);
      else await refuses(connection, 'NoNode', connection.listDir(''), { path: '' });
    },
  },
  {
    title: 'a directory without anything in it lists as nothing, and as a directory in the one above it',
    when: needs.emptyDirectories,
    run: async ({ connection, writer, raw, root }) => {
      await createMany(writer, records('d/a'));
      await raw.emptyDirectory?.(root, 'd/hollow');
      assert.deepEqual(await connection.listDir('d/hollow'), []);
      assert.deepEqual(await connection.listDirFull('d/hollow'), []);
      assert.deepEqual(await connection.listDirFull('d'), [file('a'), directory('hollow')]);
      await refuses(connection, 'NoNode', connection.get('d/hollow'), { path: 'd/hollow' });
    },
  },
  {
    title: 'a path that is a record and a directory lists as a directory and reads as a record',
    when: needs.recordsWithChildren,
    run: async ({ connection }) => {
      await connection.create('d/both/inner', utf8('inner'));
      await connection.create('d/both', utf8('both'));
      assert.deepEqual(await connection.listDirFull('d'), [directory('both')]);
      assert.deepEqual(await connection.listDir('d/both'), ['inner']);
      await holds(connection, 'd/both', 'both');
    },
  },
]);
