import assert from 'node:assert/strict';
import { follow } from './follower.js';
import { type Context, needs, theme } from './sentence.js';
import { eventually, failure, holds, must, PATIENCE_MS, scanAll, utf8 } from './tools.js';

/** Plants a record whose owner ends with the sentence, or when the answer is called. */
async function plant(
  { raw, root, after }: Context,
  path: string,
  text: string,
): Promise<() => Promise<void>> {
  const end = must(await raw.ephemeral?.(root, path, utf8(text)), 'the end of the owner');
  let ended = false;
  const once = async () => {
    if (ended) return;
    ended = true;
    await end();
  };
  after(once);
  return once;
}

export const ephemeral = theme(
  'ephemeral records',
  [
    {
      title: 'a record owned by a session or lease is marked ephemeral by get, scan and watch',
      run: async (context) => {
        const { connection } = context;
        await context.writer.create('d/plain', utf8('x'));
        await plant(context, 'd/owned', 'mine');
        await connection.position();
        assert.equal((await connection.get('d/owned')).ephemeral, true);
        assert.equal((await connection.get('d/plain')).ephemeral, false);
        await holds(connection, 'd/owned', 'mine');
        const { records } = await scanAll(connection);
        assert.deepEqual(
          records.map((record) => [record.path, record.ephemeral]),
          [
            ['d/owned', true],
            ['d/plain', false],
          ],
        );
        const follower = follow(context, 'd/owned');
        await follower.untilState('d/owned', 'mine');
        const event = follower.events.at(-1);
        assert.ok(event?.type === 'record' && event.value?.ephemeral === true);
      },
    },
    {
      title: 'listDirFull marks it, and a directory that holds only such records',
      run: async (context) => {
        const { connection, writer } = context;
        await writer.create('d/mixed/plain', utf8('x'));
        await writer.create('d/plain', utf8('x'));
        await plant(context, 'd/mixed/owned', 'x');
        await plant(context, 'd/locks/owned', 'x');
        await plant(context, 'd/owned', 'x');
        await connection.position();
        const marks = (await connection.listDirFull('d')).map(({ name, type, ephemeral }) => [
          name,
          type,
          ephemeral,
        ]);
        assert.deepEqual(marks, [
          ['locks', 'directory', true],
          ['mixed', 'directory', false],
          ['owned', 'file', true],
          ['plain', 'file', false],
        ]);
      },
    },
    {
      title: 'it goes away with its owner, and a watch tells',
      run: async (context) => {
        const { connection } = context;
        const end = await plant(context, 'd/owned', 'mine');
        await connection.position();
        const follower = follow(context, 'd/owned');
        await follower.untilState('d/owned', 'mine');
        await end();
        await follower.untilState('d/owned', undefined);
        await eventually(
          'its absence',
          async () => (await failure(connection.get('d/owned'))).code === 'NoNode',
          PATIENCE_MS,
        );
        assert.deepEqual((await scanAll(connection)).records, []);
      },
    },
  ],
  needs.ephemeral,
);
