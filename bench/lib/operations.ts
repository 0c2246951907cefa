/** What `npm run bench -- operations` measures, and how: in short rounds, raw client and Connection in turns. */

export const OPERATIONS = [
  'get',
  'create',
  'update',
  'update-if',
  'scan',
  'batch',
  'lock',
  'lock-recipe',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export const VALUE = Buffer.alloc(300, 'v');
/** Records in the directory that is read from. */
const RECORDS = 1_000;
/** Records that one batch creates: as many as Consul takes, where each costs two operations of a transaction. */
const BATCH = 32;

/** One way to work with a store. Each method does one operation, of as many requests as it takes. Paths are relative to the root. */
export interface Contender {
  get(path: string): Promise<unknown>;
  /** Below a directory that exists. */
  create(path: string): Promise<unknown>;
  /** In any state. */
  update(path: string): Promise<unknown>;
  /** In the state in which the last call for this path left the record. */
  updateIf(path: string): Promise<unknown>;
  /** Resolves with the number of records that were read. */
  scan(directory: string): Promise<number>;
  /** Creates records in a transaction, below a directory that exists. */
  batch(paths: readonly string[]): Promise<unknown>;
  /** Locks a directory that nobody else locks, and gives the lock back. */
  lockAndUnlock(directory: string): Promise<unknown>;
  /** The same, with no more than it takes to keep Vitess's processes out. */
  lockRecipe(directory: string): Promise<unknown>;
  close(): Promise<void>;
}

export type ContenderName = 'raw' | 'ours';

/** A {@link Contender} with records of its own. */
export interface Entrant {
  readonly name: ContenderName;
  readonly contender: Contender;
}

/** How long to measure. */
export interface Effort {
  /** Rounds that count, of each contender. */
  readonly rounds: number;
  /** Of one round. */
  readonly seconds: number;
  /** For which each operation is done by each contender before its first round. */
  readonly warmUpSeconds: number;
}

/** What one round gave. */
export interface Round {
  readonly perSecond: number;
  /** Processor time of the client's process per operation, in microseconds. */
  readonly cpuMicros: number;
}

/** One operation with one number of operations in flight. */
export interface Case {
  readonly operation: Operation;
  readonly inFlight: number;
}

/** The rounds of a {@link Case}, in pairs that were measured one right after the other. */
export interface CaseRounds extends Case {
  readonly rounds: readonly Readonly<Partial<Record<ContenderName, Round>>>[];
  /** Why there are none. */
  readonly failure?: string;
}

/** Where the records are that every store is given before it is measured. */
const PLACES = {
  record: (i: number) => `records/r${i % RECORDS}`,
  /** One for each worker, so that they do not meet. */
  own: (name: ContenderName, worker: number) => `own/${name}/w${worker}/record`,
  lockable: (name: ContenderName, worker: number) => `own/${name}/w${worker}`,
  /** A new one for each round. */
  fresh: (name: ContenderName, round: string) => `new/${name}/${round}`,
} as const;

/** Records that must exist before the first case. */
export function planted(inFlight: number): string[] {
  const workers = Array.from({ length: inFlight }, (_, worker) => worker);
  return [
    ...Array.from({ length: RECORDS }, (_, i) => PLACES.record(i)),
    ...workers.flatMap((worker) => [PLACES.own('raw', worker), PLACES.own('ours', worker)]),
  ];
}

/** Who is measured on one store. */
export interface Field {
  readonly entrants: readonly Entrant[];
  /** Makes a record, and the directories that it needs. */
  readonly plant: (path: string) => Promise<unknown>;
}

/** Lets the code of an operation be compiled, on both sides, and the server get used to it. */
export async function warmUp(which: Case, field: Field, seconds: number): Promise<void> {
  for (const entrant of field.entrants) await measureRound(which, field, entrant, 'warm-up', seconds);
}

/** Measures one case. The order within a pair changes from pair to pair, so that what drifts favours neither. */
export async function measureCase(
  which: Case,
  field: Field,
  { rounds, seconds }: Pick<Effort, 'rounds' | 'seconds'>,
): Promise<CaseRounds> {
  const measured: Partial<Record<ContenderName, Round>>[] = [];
  for (let round = 0; round < rounds; round++) {
    const pair: Partial<Record<ContenderName, Round>> = {};
    for (const entrant of round % 2 === 0 ? field.entrants : [...field.entrants].reverse())
      pair[entrant.name] = await measureRound(which, field, entrant, String(round), seconds);
    measured.push(pair);
  }
  return { ...which, rounds: measured };
}

async function measureRound(
  { operation, inFlight }: Case,
  { plant }: Field,
  { name, contender }: Entrant,
  round: string,
  seconds: number,
): Promise<Round> {
  const directory = PLACES.fresh(name, `${operation}-${inFlight}-${round}`);
  if (operation === 'create' || operation === 'batch') await plant(`${directory}/first`);
  const perform = performer(operation, name, contender, directory);
  // A full collection would throw away what the compiler has learnt, and more of it for the longer way.
  globalThis.gc?.({ type: 'minor' });
  const before = process.cpuUsage();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let done = 0;
  let next = 0;
  const work = async (worker: number): Promise<void> => {
    while (performance.now() < end) {
      await perform(worker, next++);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, worker) => work(worker)));
  const elapsed = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: done / elapsed, cpuMicros: (user + system) / done };
}

/** Does one operation; `index` is another one each time. */
type Perform = (worker: number, index: number) => Promise<unknown>;

function performer(
  operation: Operation,
  name: ContenderName,
  contender: Contender,
  directory: string,
): Perform {
  switch (operation) {
    case 'get':
      return (_, index) => contender.get(PLACES.record(index));
    case 'create':
      return (_, index) => contender.create(`${directory}/r${index}`);
    case 'update':
      return (worker) => contender.update(PLACES.own(name, worker));
    case 'update-if':
      return (worker) => contender.updateIf(PLACES.own(name, worker));
    case 'scan':
      return async () => {
        const found = await contender.scan('records');
        if (found !== RECORDS) throw new Error(`${name}: a scan found ${found} records, not ${RECORDS}`);
      };
    case 'batch':
      return (_, index) =>
        contender.batch(Array.from({ length: BATCH }, (_, i) => `${directory}/b${index}-${i}`));
    case 'lock':
      return (worker) => contender.lockAndUnlock(PLACES.lockable(name, worker));
    case 'lock-recipe':
      return (worker) => contender.lockRecipe(PLACES.lockable(name, worker));
  }
}
