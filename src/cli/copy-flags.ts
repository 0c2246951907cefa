import type { Overrules } from '../copy/guards.js';
import type { CopyOptions } from '../copy/options.js';
import { systemClock } from '../topo/clock.js';
import { KINDS, type Kind } from '../topo/kinds.js';
import type { Certificate } from '../verify/certificate.js';
import { covers, type Narrowing } from '../verify/narrowing.js';
import { certificateOf, notCovering } from './certificates.js';
import { type FlagSpec, switchFlags, textFlag } from './command.js';
import { type Flags, shown, text, usage } from './flags.js';
import { splitList } from './place.js';
import { PAIR_FLAGS, type Pair } from './topologies.js';
import { servingBy, TRANSCODING_FLAGS, toleranceBy } from './transcoding-flags.js';

const spoken = (spec: FlagSpec): FlagSpec => ({ ...spec, spoken: true });

/** Flags that narrow what a command is about. */
export function selectingFlags(verb: 'copy' | 'compare'): readonly FlagSpec[] {
  return [
    textFlag('cells', `parts to ${verb}, separated by commas: names of cells, and global`, { spoken: true }),
    textFlag('kinds', `kinds of records to ${verb}, separated by commas`, { spoken: true }),
    textFlag('keyspace', `keyspaces to ${verb}, separated by commas; nothing else`, { spoken: true }),
  ];
}

/** Flags that overrule guards, and what each lets pass. */
const OVERRULING = {
  'allow-empty-cells': 'emptyCells',
  'allow-shrunk': 'shrunk',
  'allow-extra': 'extra',
  'allow-older': 'newer',
  'allow-undecodable': 'undecodable',
  'allow-locks': 'locks',
  'allow-other-cell': 'otherCell',
  'allow-cell-in-source': 'cellInSource',
  'allow-same-place': 'samePlace',
} as const satisfies Readonly<Record<string, keyof Overrules>>;

/** What the source held before, for the guard against one that shrank. */
const LAST_CERTIFICATE_FLAG = textFlag(
  'last-run-certificate',
  'certificate of before (verify --certificate): stop when the source holds less by more than a tenth',
  { spoken: true },
);

/** Flags of planning a copy. */
export const PLANNING_FLAGS: readonly FlagSpec[] = [
  ...PAIR_FLAGS,
  ...selectingFlags('copy'),
  ...switchFlags('allow-empty-cells', 'allow-extra', 'allow-older'),
  ...switchFlags(
    'allow-shrunk',
    'allow-undecodable',
    'allow-locks',
    'allow-other-cell',
    'allow-cell-in-source',
    'allow-same-place',
    'delete',
  ).map(spoken),
  { name: 'max-delete', kind: 'number', preset: 0, describe: 'records that may be deleted', spoken: true },
  textFlag('to-cell-root', 'root of every cell on the destination’s servers, for example /vitess/{cell}'),
  ...TRANSCODING_FLAGS,
  LAST_CERTIFICATE_FLAG,
  textFlag('journal', 'file in which a copy notes what it writes, for --resume and for the next run'),
];

/** Flags of planning a copy whose source is a tree of files. */
export const IMPORT_FLAGS: readonly FlagSpec[] = PLANNING_FLAGS.filter(
  ({ name }) => !/^from($|-)|^journal$|^last-run-certificate$|^kinds$|^keyspace$|^cells$/.test(name),
);

/** Flags of copying. */
export const COPY_FLAGS: readonly FlagSpec[] = [
  ...PLANNING_FLAGS,
  ...switchFlags('dry-run', 'verify'),
  ...switchFlags('resume').map(spoken),
  textFlag('plan', 'carry out this plan, as topo2topo plan -o wrote it', { spoken: true }),
  { name: 'rate', kind: 'number', describe: 'records written per second at most' },
];

/** What the flags say of a copy. `kinds`: what the command narrows it to already. */
export function copyOptions(
  flags: Flags,
  pair: Pair,
  signal: AbortSignal,
  kinds?: ReadonlySet<Kind>,
): CopyOptions {
  const overrules = Object.fromEntries(
    Object.entries(OVERRULING).map(([flag, name]) => [name, flags[flag] === true]),
  ) as Overrules;
  const rate = flags['rate'];
  const narrowing = narrowingBy(flags, kinds);
  return {
    source: pair.source,
    destination: pair.destination,
    rule: pair.rule,
    ...narrowing,
    ...servingBy(flags),
    certificate: lastCertificate(flags, narrowing),
    deletes: flags['delete'] === true,
    overrules: { ...overrules, ...toleranceBy(flags), maxDelete: Number(flags['max-delete'] ?? 0) },
    clock: systemClock,
    concurrency: Number(flags['concurrency']),
    ...(rate === undefined ? {} : { rate: Number(rate) }),
    signal,
  };
}

/** The flags given that overrule guards, as they are written: a saved plan does not keep them. */
export function overruling(flags: Flags): string[] {
  const most = Number(flags['max-delete'] ?? 0);
  return [
    ...Object.keys(OVERRULING)
      .filter((name) => flags[name] === true)
      .map((name) => `--${name}`),
    ...(most === 0 ? [] : [`--max-delete ${most}`]),
  ];
}

/** What {@link selectingFlags} say. `kinds`: what the command narrows it to already. Usage. */
export function narrowingBy(flags: Flags, kinds?: ReadonlySet<Kind>): Narrowing {
  return {
    kinds: kinds ?? kindsOf(flags),
    keyspaces: setOf(flags, 'keyspace'),
    scopes: setOf(flags, 'cells'),
  };
}

/** The certificate that the flags name, which is whole, and of all that is asked for now. */
function lastCertificate(flags: Flags, narrowing: Narrowing): Certificate | undefined {
  const file = text(flags, 'last-run-certificate');
  if (file === undefined) return undefined;
  const certificate = certificateOf(file, {});
  if (!covers(certificate.selection, narrowing)) throw notCovering('--last-run-certificate', file);
  return certificate;
}

function setOf(flags: Flags, name: string): ReadonlySet<string> | undefined {
  const given = text(flags, name);
  return given === undefined ? undefined : new Set(splitList(given, `--${name}`));
}

function kindsOf(flags: Flags): ReadonlySet<Kind> | undefined {
  const names = setOf(flags, 'kinds');
  if (names === undefined) return undefined;
  const known = new Map(
    [...KINDS.filter(({ copied }) => copied !== false), { kind: 'Unknown' as const }].map(({ kind }) => [
      kind.toLowerCase(),
      kind,
    ]),
  );
  return new Set(
    [...names].map((name) => {
      const kind = known.get(name.toLowerCase());
      if (kind === undefined)
        throw usage(
          `--kinds names ${shown(name)}, which is no kind`,
          `there are ${[...known.values()].join(', ')}`,
        );
      return kind;
    }),
  );
}

/** Refuses flags that say where the cells of a file are. Usage. */
export function checkFileDestination(flags: Flags, pair: Pair): void {
  if (pair.destination.address.implementation !== 'file') return;
  const given = ['to-cell', 'to-cell-root'].find((name) => flags[name] !== undefined);
  if (given !== undefined)
    throw usage(`--${given} is given, and the destination is a file`, 'a file keeps its cells itself');
}
