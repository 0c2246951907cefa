import { showLoss } from '../topo/told.js';
import { CLASSES } from '../verify/classes.js';
import type { ClassedField, Difference, VerifiedCounts, VerifyReport } from '../verify/report.js';
import { decide, FAIL_ON } from '../verify/verdict.js';
import { count } from './io.js';
import { printable } from './lists.js';
import { type Pair, pairTitle } from './topologies.js';
import { selectionText, type VerifyView } from './verify-text.js';

/** A comparison as one page that needs nothing else: no script, no style or font of elsewhere. */
export function verifyHtml(
  pair: Pair,
  report: VerifyReport,
  { failOn = FAIL_ON, backups = [] }: VerifyView,
  made: number,
): string {
  const decision = decide(report, failOn);
  const title = `verify ${pairTitle(pair)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${safe(decision)}: ${safe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="verdict ${decision}">${decision}${report.selection === undefined ? '' : ' in a selection'}</p>
<h1>${safe(title)}</h1>
<p>${count(report.compared, 'record')} compared, ${count(report.differences.length, 'difference')}; a difference counts from class <b>${failOn}</b> on. Made ${new Date(made).toISOString()}.</p>
${backups.map(({ title: said }) => `<p>${safe(said)}</p>`).join('\n')}
<p>${classCounts(report)}</p>
${report.selection === undefined ? '' : `<p><b>${safe(selectionText(report.selection))}</b></p>`}
</header>
<h2>Counts</h2>
${countsTable(report)}
<h2>Differences</h2>
${report.differences.length === 0 ? '<p>none</p>' : tree(report.differences)}
${report.ignored.length === 0 ? '' : `<h2>Ignored, as asked</h2>${tree(report.ignored)}`}
${report.losses.length === 0 ? '' : `<h2>Lost</h2>${list(report.losses.map((loss) => `${loss.scope}:${loss.path} ${showLoss(loss)} — ${loss.class === 'loss' ? 'not accepted' : 'accepted'}`))}`}
<h2>As expected</h2>
${list(report.notes.map((note) => `${note.scope}:${note.path} — ${note.type}`))}
<h2>Not compared</h2>
${list([
  ...(report.selection?.unread ?? []).map((scope) => `${scope} — all of it, not asked for`),
  ...report.notCompared.map((each) => `${each.side} ${each.scope}:${each.path} — ${each.reason}`),
])}
</body>
</html>`;
}

function classCounts({ differences }: VerifyReport): string {
  return CLASSES.toReversed()
    .flatMap((each) => {
      const found = differences.filter((difference) => difference.class === each).length;
      return found === 0 ? [] : [`${badge(each)} ${found.toLocaleString('en-US')}`];
    })
    .join(' ');
}

function countsTable({ scopes }: VerifyReport): string {
  const rows = scopes.flatMap(({ scope, counts }) => [...counts].map(([kind, c]) => ({ scope, kind, c })));
  const columns = COUNTS.filter(([, of]) => rows.some(({ c }) => of(c) > 0));
  const head = ['store', 'kind', ...columns.map(([name]) => name)].map((each) => `<th>${each}</th>`);
  const body = rows.map(({ scope, kind, c }) => {
    const numbers = columns.map(([, of]) => of(c));
    return `<tr><td>${safe(scope)}</td><td>${safe(kind)}</td>${numbers.map((each) => `<td class="number">${each === 0 ? '' : each.toLocaleString('en-US')}</td>`).join('')}</tr>`;
  });
  return `<div class="wide"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

/** What differs comes first: a narrow screen shows a few columns. */
const COUNTS: readonly [name: string, of: (counts: VerifiedCounts) => number][] = [
  ['different', ({ different }) => different],
  ['missing', ({ missing }) => missing],
  ['extra', ({ extra }) => extra],
  ['ignored', ({ ignored }) => ignored],
  ['as expected', ({ noted }) => noted],
  ['not compared', ({ notCompared }) => notCompared],
  ['equal', ({ equal }) => equal],
];

/** Stores, in them keyspaces, in them kinds, in them records: each can be opened. */
function tree(differences: readonly Difference[]): string {
  return branch(differences, [
    ({ scope }) => scope,
    ({ keyspace }) => keyspace ?? 'no keyspace',
    ({ kind }) => kind,
  ]);
}

function branch(
  differences: readonly Difference[],
  levels: readonly ((each: Difference) => string)[],
): string {
  const [level, ...deeper] = levels;
  if (level === undefined) return differences.map(record).join('\n');
  const groups = new Map<string, Difference[]>();
  for (const each of differences) {
    const group = groups.get(level(each));
    if (group === undefined) groups.set(level(each), [each]);
    else group.push(each);
  }
  return [...groups]
    .map(
      ([name, own]) =>
        `<details${own.length <= OPEN_UP_TO ? ' open' : ''}><summary>${safe(name)} <span class="dim">${own.length}</span></summary>${branch(own, deeper)}</details>`,
    )
    .join('\n');
}

/** Longer groups are closed at first. */
const OPEN_UP_TO = 20;

function record({ type, path, class: found, fields, rule, detail, since }: Difference): string {
  const sides = since === undefined ? [] : (['source', 'destination'] as const).filter((side) => since[side]);
  const about = [
    ...(rule === undefined ? [] : [rule]),
    ...(detail === undefined ? [] : [detail]),
    ...(since === undefined
      ? []
      : [`since the baseline changed: ${sides.length === 0 ? 'nothing' : sides.join(' and ')}`]),
  ];
  return `<details class="record" open><summary>${badge(found)} ${type} <code>${safe(path)}</code></summary>
${about.length === 0 ? '' : `<p class="dim">${about.map(safe).join('; ')}</p>`}
${fields.length === 0 ? '' : `<div class="fields">${SIDES}${fields.map(fieldRow).join('\n')}</div>`}</details>`;
}

/** Over both values; where they stand one below the other each says its side itself. */
const SIDES =
  '<div class="field sides dim"><div></div><div class="a">source</div><div class="b">destination</div></div>\n';

function fieldRow({ path, a, b, class: found }: ClassedField): string {
  return `<div class="field"><div class="name">${badge(found)} <code>${safe(path)}</code></div><div class="a">${value(a)}</div><div class="b">${value(b)}</div></div>`;
}

function value(text: string | undefined): string {
  return text === undefined ? '<i>absent</i>' : `<code>${safe(text)}</code>`;
}

function list(items: readonly string[]): string {
  if (items.length === 0) return '<p>none</p>';
  return `<details${items.length <= OPEN_UP_TO ? ' open' : ''}><summary>${count(items.length, 'record')}</summary><ul>${items.map((item) => `<li>${safe(item)}</li>`).join('')}</ul></details>`;
}

function badge(found: string): string {
  return `<span class="badge ${found}">${found}</span>`;
}

/** Names and values are of others: nothing of them is ever markup, nor moves what stands beside it. */
function safe(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { --back: #fff; --front: #1a1d21; --dim: #5c6670; --line: #d5dae0; --bad: #b3261e; --warn: #8a5a00; --good: #176b34; --a: #fdecea; --b: #e7f5ec; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --front: #e6e9ec; --dim: #9aa5b1; --line: #343b43; --bad: #ff8a80; --warn: #ffc766; --good: #7ddc9a; --a: #3a1f1d; --b: #16301f; } }
body { background: var(--back); color: var(--front); font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.15rem; overflow-wrap: anywhere; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; border-bottom: 1px solid var(--line); }
code { font: .92em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.verdict { display: inline-block; margin: 0; padding: .1rem .7rem; border: 2px solid; border-radius: .4rem; font-weight: 700; }
.verdict.equal { color: var(--good); } .verdict.different { color: var(--bad); } .verdict.accepted, .verdict.inconclusive { color: var(--warn); }
.dim { color: var(--dim); } .wide { overflow-x: auto; } table { border-collapse: collapse; } th, td { padding: .15rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; } .number { text-align: right; }
details { margin-left: .8rem; } summary { cursor: pointer; overflow-wrap: anywhere; } .record { border-left: 3px solid var(--line); padding-left: .5rem; margin-bottom: .4rem; } .record p { margin: .1rem 0; }
.badge { border: 1px solid; border-radius: .3rem; padding: 0 .35rem; font-size: .8em; color: var(--dim); white-space: nowrap; } .badge.dangerous { color: var(--bad); font-weight: 700; } .badge.repairable, .badge.stale, .badge.in-flight { color: var(--warn); }
.field { display: grid; grid-template-columns: 2fr 3fr 3fr; gap: .4rem; border-top: 1px solid var(--line); padding: .2rem 0; } .a { background: var(--a); padding: 0 .3rem; } .b { background: var(--b); padding: 0 .3rem; } .sides { font-size: .85em; }
@media (max-width: 40rem) { th, td { padding: .15rem .25rem; } th { white-space: normal; } .field { grid-template-columns: 1fr; } .sides { display: none; } .a::before { content: "source "; color: var(--dim); } .b::before { content: "destination "; color: var(--dim); } details { margin-left: .3rem; } }
`;
