import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isPassing } from '../../../src/copy/passing.js';
import { isTopologyError } from '../../../src/topo/errors.js';
import { eventually, utf8 } from '../../conformance/tools.js';
import { RECOVERY_MS } from '../../failures/ensemble.js';
import { cli } from '../../support/cli.js';
import { differences, type Places, type Wraps } from '../followers.js';
import { CONTESTED_PATHS, isNamedIn, THEIR_PATHS, THEIRS } from './contested.js';
import { beforeWrite, copyArgs, copyDisturbed, duringScan } from './copying.js';
import { Onlooker } from './onlooker.js';
import { Rival } from './rival.js';
import { disturbing, type Props, type Scene, striking } from './scene.js';
import { SourceWriter } from './source-writer.js';
import { IMPATIENT, type Stage } from './stage.js';

const ENOUGH_WRITES = 30;
/** Copies that may fail before they write. */
const TRIES = 10;
/** Exit codes of a copy that may go through when it is tried again. */
const TRY_AGAIN = [3, 5];

export const COPY_SCENES: readonly Scene[] = [
  { title: 'a copy ends as an undisturbed one', play: endsWell },
  { title: 'a copy overwrites nothing that somebody else writes meanwhile', play: yields },
];

/**
 * Copies while the source is used, and somebody else has records of his own in the destination, and a fault happens to the source and
 * then to the destination: with as many tries and resumptions as it takes both sides are equal at last, no write of his is lost, and no
 * vttablet could start before the end.
 */
async function endsWell(props: Props): Promise<void> {
  const { stage, folder, random } = props;
  const [onSource, onDestination] = [striking(props, 'source'), striking(props, 'destination')];
  const nth = 3 + Math.floor(random() * 15);
  const wraps = {
    settings: IMPATIENT,
    source: duringScan(onSource.atRead),
    destination: beforeWrite((n) => n >= nth, onDestination.atWrite, disturbing(props)),
  };
  const journal = join(folder, randomUUID());
  const rival = new Rival(await stage.open('destination'), THEIR_PATHS, random);
  const writer = new SourceWriter([await stage.open('source'), await stage.open('source', 'zone1')]);
  const onlooker = await Onlooker.at(stage.direct);
  let missed: string[] | undefined;
  try {
    let failure = await disturbed(stage.places, journal, wraps);
    await onSource.over();
    for (let tries = 0; !onDestination.happened() && tries < TRIES; tries++) {
      assert.ok(isPassing(failure), `it failed with ${String(failure)}`);
      failure = await disturbed(stage.places, journal, wraps);
    }
    await onDestination.over();
    assert.ok(failure === undefined || isPassing(failure), `it failed with ${String(failure)}`);
    if (failure !== undefined) await resumed(stage.places, journal);
  } finally {
    await Promise.all([rival.stop(), writer.stop()]);
    missed = await onlooker.stop();
  }
  await becomeEqual(stage, journal, THEIRS);
  await rival.check();
  assert.ok(rival.acknowledged > 0 && writer.acknowledged > 0, 'the others wrote nothing');
  assert.deepEqual(rival.losses, []);
  assert.deepEqual(missed, [], 'a vttablet could have started without these');
}

/**
 * Copies over what an earlier copy brought, while a fault happens and somebody else begins to write the same records: every write
 * of his stays, on ZooKeeper but for records that he made anew and that the copy names; only a copy that begins anew replaces them.
 */
async function yields(props: Props): Promise<void> {
  const { stage, folder, random } = props;
  const [from, to] = [await stage.open('source'), await stage.open('destination')];
  const change = (text: string) =>
    Promise.all(CONTESTED_PATHS.map((path) => from.update(path, utf8(text), null)));
  await change('old');
  await becomeEqual(stage, join(folder, randomUUID()), THEIRS);
  await change('new');

  const struck = striking(props, 'destination');
  const journal = join(folder, randomUUID());
  const told: string[] = [];
  let rival: Rival | undefined;
  const nth = 1 + Math.floor(random() * 5);
  try {
    const failure = await disturbed(stage.places, journal, {
      settings: IMPATIENT,
      destination: beforeWrite(
        (n) => n >= nth,
        async (scope, paths) => {
          await struck.atWrite(scope, paths);
          rival = new Rival(to, CONTESTED_PATHS, random);
        },
        disturbing(props),
      ),
    });
    await struck.over();
    const begun = rival as Rival | undefined;
    assert.ok(begun !== undefined);
    await eventually('writes of the rival', async () => begun.acknowledged >= ENOUGH_WRITES, RECOVERY_MS);
    if (failure !== undefined) {
      assert.ok(isPassing(failure) || isTopologyError(failure, 'Guard'), `it failed with ${String(failure)}`);
      told.push(`${String(failure)} ${isTopologyError(failure) ? failure.path : ''}`);
      const { code, err } = await resumed(stage.places, journal, [0, 4]);
      assert.ok(code === 0 || err.includes('metadata/contested/'), err);
      told.push(err);
    }
  } finally {
    await rival?.stop();
  }
  await rival?.check();
  assert.deepEqual(
    rival?.losses.filter((loss) => !isNamedIn(told, loss, stage)),
    [],
  );
  await becomeEqual(stage, join(folder, randomUUID()), THEIRS);
}

/** A copy that may fail: its failure. */
async function disturbed(places: Places, journal: string, wraps: Wraps): Promise<unknown> {
  try {
    await copyDisturbed({ places, journal, wraps });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Goes on with a copy until it comes to one of these ends, by default a good one. */
async function resumed(places: Places, journal: string, ends: readonly number[] = [0]) {
  const result = await eventually(
    'the end of the copy',
    async () => {
      const ended = await cli([...copyArgs(places, journal), '--resume']);
      if (TRY_AGAIN.includes(ended.code)) throw new Error(ended.err);
      return ended;
    },
    RECOVERY_MS,
  );
  assert.ok(ends.includes(result.code), `the copy ended with ${result.code}: ${result.err}`);
  return result;
}

/** Both sides hold the same in the end, but for what is somebody else's; servers may still carry out what was sent long ago. */
async function becomeEqual({ places, direct }: Stage, journal: string, ignored: RegExp): Promise<void> {
  await eventually(
    'two equal sides',
    async () => {
      const { code, err } = await cli(copyArgs(places, journal));
      assert.equal(code, 0, err);
      assert.deepEqual(await differences(direct, ignored), []);
    },
    RECOVERY_MS,
  );
}
