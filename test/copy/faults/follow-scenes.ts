import assert from 'node:assert/strict';
import type { FollowOptions } from '../../../src/copy/follow-options.js';
import { systemClock } from '../../../src/topo/clock.js';
import { isTopologyError } from '../../../src/topo/errors.js';
import { withFaults } from '../../../src/topo/wrappers/fault.js';
import { eventually, utf8, within } from '../../conformance/tools.js';
import { keepWriting } from '../../conformance/writers.js';
import { RECOVERY_MS } from '../../failures/ensemble.js';
import { contents } from '../../support/topologies.js';
import { differences, following, type Running, SCOPES, startFollower, type Wraps } from '../followers.js';
import { CONTESTED_PATHS, isNamedIn, THEIR_PATHS, THEIRS } from './contested.js';
import { beforeWrite } from './copying.js';
import { Rival } from './rival.js';
import { disturbing, type Props, type Scene, striking } from './scene.js';
import { SourceWriter } from './source-writer.js';
import { IMPATIENT } from './stage.js';

export const FOLLOW_SCENES: readonly Scene[] = [
  { title: 'a follower comes to be equal again', play: comesBack },
  { title: 'a follower overwrites nothing that somebody else writes', play: yields },
];

/** What needs no fault of servers. */
export const EMPTY_LISTING: Scene = {
  title: 'a follower deletes nothing when the source’s store shows nothing',
  play: deletesNothing,
};

async function start(props: Props, more: Partial<FollowOptions>, wraps: Wraps = {}): Promise<Running> {
  const running = await startFollower(
    props.stage.places,
    { overrules: { extra: true }, passEveryMs: 1_000, signal: props.stage.closing, ...more },
    { settings: IMPATIENT, destination: disturbing(props), ...wraps },
  );
  await following(running);
  return running;
}

/** What a follower ends with that ends by itself. */
function ended({ end }: Running): Promise<unknown> {
  const failure = end.catch((error: unknown) => error);
  return within(RECOVERY_MS, 'the end of the follower', failure);
}

/**
 * Follows while the source is used, and somebody else has records of his own in the destination, and a fault happens to the one side
 * and then to the other: both are equal in the end, and no write of his is lost.
 */
async function comesBack(props: Props): Promise<void> {
  const { stage, random } = props;
  const [onSource, onDestination] = [striking(props, 'source'), striking(props, 'destination')];
  const stop = new AbortController();
  let isTime = false;
  const running = await start(
    props,
    { signal: AbortSignal.any([stop.signal, stage.closing]) },
    { destination: beforeWrite(() => isTime, onDestination.atWrite, disturbing(props)) },
  );
  const [from, to] = [await stage.open('source'), await stage.open('destination')];
  const rival = new Rival(to, THEIR_PATHS, random);
  const writer = new SourceWriter([from, await stage.open('source', 'zone1')]);
  try {
    isTime = true;
    await onDestination.begunAndOver();
    await onSource.atRead();
    await onSource.over();
  } finally {
    await Promise.all([rival.stop(), writer.stop()]);
  }
  await Promise.race([
    running.end.then((state) => assert.fail(`it ended by itself: ${JSON.stringify(state)}`)),
    eventually(
      'two equal sides',
      async () => {
        assert.deepEqual(await differences(stage.direct, THEIRS), []);
        const state = running.state();
        return state?.phase === 'following' && state.waiting === 0 && state.lagMs === 0;
      },
      RECOVERY_MS,
    ),
  ]);
  stop.abort();
  await running.end;
  await rival.check();
  assert.deepEqual(rival.losses, []);
}

/**
 * Follows records that change, while a fault happens and somebody else begins to write the same records in the destination: the follower
 * ends, naming one, and every write of his stays, on ZooKeeper but for a record that he made anew and that is named.
 */
async function yields(props: Props): Promise<void> {
  const { stage, random } = props;
  const [from, to] = [await stage.open('source'), await stage.open('destination')];
  for (const path of CONTESTED_PATHS) await from.update(path, utf8('old'), null);
  const struck = striking(props, 'destination');
  let rival: Rival | undefined;
  let isTime = false;
  const strike = async (scope: string, paths: readonly string[]) => {
    await struck.atWrite(scope, paths);
    rival = new Rival(to, CONTESTED_PATHS, random);
  };
  const running = await start(
    props,
    {},
    { destination: beforeWrite(() => isTime, strike, disturbing(props)) },
  );
  const changing = keepWriting(async (i) => {
    const path = CONTESTED_PATHS[i % CONTESTED_PATHS.length] ?? '';
    await from.update(path, utf8(`new ${i}`), null, { deadline: Date.now() + 2_000 });
  });
  let failure: unknown;
  try {
    isTime = true;
    await struck.begunAndOver();
    failure = await ended(running);
  } finally {
    await Promise.all([rival?.stop(), changing.stop()]);
  }
  assert.ok(isTopologyError(failure, 'Guard'), `it ended with ${String(failure)}`);
  assert.match(`${failure.message} ${failure.path}`, /metadata\/contested\//);
  await rival?.check();
  assert.deepEqual(
    rival?.losses.filter((loss) => !isNamedIn([`${failure.message} ${failure.path}`], loss, stage)),
    [],
  );
}

/** Follows until a complete pass finds no record in the source, and nothing tells that they went: it ends, and all is there. */
async function deletesNothing(props: Props): Promise<void> {
  const { destination } = props.stage.direct;
  let isLying = false;
  const choose = ({ method }: { readonly method: string }) =>
    isLying && method === 'scan' ? ({ kind: 'empty listing' } as const) : undefined;
  const running = await start(
    props,
    { passEveryMs: 100 },
    { source: (store) => withFaults(store, { clock: systemClock, choose }) },
  );
  const held = () =>
    Promise.all(SCOPES.map(async (scope) => [...(await contents(destination(scope))).keys()]));
  const before = await held();
  isLying = true;
  const failure = await ended(running);
  assert.ok(isTopologyError(failure, 'Guard'), `it ended with ${String(failure)}`);
  assert.match(failure.message, /lost more than a tenth/);
  assert.deepEqual(await held(), before);
}
