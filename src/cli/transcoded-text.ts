import type { ScopePlan } from '../copy/plan.js';
import { type PlannedLoss, PROTOBUF, servingText } from '../copy/transcoded.js';
import { LOSS_KINDS, type Loss, type LossKind, lossCounts, showLoss } from '../topo/told.js';
import { count, type Io } from './io.js';
import { listLines, printable } from './lists.js';

/** A part of a topology, and what is told of its records. */
type ToldScope = Pick<ScopePlan, 'scope' | 'transcoded'>;

/** A loss, and where. */
type Placed = Loss & { readonly scope: string };

/** What becomes of records that change their form on the way, for people; nothing where none does. What is told here has no losses but accepted ones. */
export function transcodedLines(io: Io, { scopes }: { readonly scopes: readonly ToldScope[] }): string[] {
  const losses = scopes.flatMap(({ scope, transcoded }) =>
    transcoded.losses.map((loss) => ({ ...loss, scope })),
  );
  return [
    ...formLines(scopes),
    ...readByLines(scopes),
    ...lossLines(io, losses, new Set(losses.map(({ kind }) => kind))),
    ...derivedLines(io, scopes),
    ...servingLines(io, scopes),
    ...filledInLines(io, scopes),
    ...listLines(io, 'carried over as they are, though odd', notes(scopes)),
    ...listLines(io, 'no records, left where they are', left(scopes)),
  ];
}

function formLines(scopes: readonly ToldScope[]): string[] {
  const [first] = scopes.filter(({ transcoded: { from, to } }) => from !== undefined || to !== undefined);
  if (first === undefined) return [];
  const { from = PROTOBUF, to = PROTOBUF } = first.transcoded;
  return [`  records change their form: ${from} → ${to}`];
}

function readByLines(scopes: readonly ToldScope[]): string[] {
  return scopes.flatMap(({ scope, transcoded }) =>
    [...transcoded.readBy].map(
      ([text, records]) => `  ${scope}: ${printable(text)}, in ${count(records, 'record')}`,
    ),
  );
}

/** Values that are lost, one list for each kind. */
export function lossLines(io: Io, losses: readonly Placed[], accepted: ReadonlySet<LossKind>): string[] {
  return [...lossCounts(losses)].flatMap(([kind]) => {
    const own = losses.filter((loss) => loss.kind === kind);
    const isAccepted = accepted.has(kind);
    const title = `lost${isAccepted ? ', as accepted' : ''}: ${kind}, ${LOSS_KINDS[kind]}`;
    const places = own.map((loss) => `${loss.scope}:${loss.path} ${showLoss(loss)}`);
    return listLines(io, isAccepted ? title : io.colors.red(title), places);
  });
}

function derivedLines(io: Io, scopes: readonly ToldScope[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { scope, transcoded } of scopes)
    for (const { path, field, what } of transcoded.derived) {
      const group = groups.get(what) ?? [];
      groups.set(what, group);
      group.push(`${scope}:${path}${field === '' ? '' : ` ${field}`}`);
    }
  return [...groups].flatMap(([what, places]) =>
    listLines(io, `dropped, since other records tell it: ${printable(what)}`, places),
  );
}

function servingLines(io: Io, scopes: readonly ToldScope[]): string[] {
  const flags = scopes.flatMap(({ transcoded }) => transcoded.serving);
  return listLines(
    io,
    'shards without serving flag, which Vitess 12 and newer takes for not serving',
    flags.map((flag) => `${flag.path}: ${servingText(flag)}, ${flag.reason}`),
  );
}

function filledInLines(io: Io, scopes: readonly ToldScope[]): string[] {
  const fields = new Map<string, { by: string; records: number }>();
  for (const { transcoded } of scopes)
    for (const [name, { by, records }] of transcoded.filledIn) {
      const known = fields.get(name);
      fields.set(name, { by, records: (known?.records ?? 0) + records });
    }
  const lines = [...fields].map(
    ([name, { by, records }]) =>
      `${name.slice(name.indexOf('.') + 1)}, in ${count(records, 'record')}: ${by}`,
  );
  if (lines.length === 0) return [];
  return [
    '  empty, and filled in by a running cluster:',
    ...lines.map((line) => io.colors.dim(`    ${line}`)),
  ];
}

function notes(scopes: readonly ToldScope[]): string[] {
  return scopes.flatMap(({ scope, transcoded }) =>
    transcoded.notes.map(
      ({ path, field, text }) => `${scope}:${path}${field === '' ? '' : ` ${field}`}: ${text}`,
    ),
  );
}

function left(scopes: readonly ToldScope[]): string[] {
  return scopes.flatMap(({ scope, transcoded }) =>
    transcoded.left.map(({ native, why }) => `${scope}: ${native} (${why})`),
  );
}

/** The same of one part, for programs; nothing where both stores keep records in one form. */
export function transcodedJson({ transcoded }: Pick<ToldScope, 'transcoded'>): object {
  const { from, to, losses, derived, notes: odd, left: rest, serving, readBy, filledIn } = transcoded;
  if (from === undefined && to === undefined) return {};
  const lossJson = ({ kind, record, path, field, value }: PlannedLoss) => ({
    kind,
    path,
    field,
    value,
    ...(record === undefined ? {} : { record }),
  });
  return {
    forms: { from: from ?? PROTOBUF, to: to ?? PROTOBUF },
    losses: losses.map(lossJson),
    derived,
    odd,
    left: rest.map(({ native, why }) => ({ native, why })),
    serving,
    readBy: [...readBy].map(([text, records]) => ({ text, records })),
    filledIn: Object.fromEntries(filledIn),
  };
}
