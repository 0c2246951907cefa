import type { DoneBackup } from './backing-up.js';
import { noticeLines } from './copy-text.js';
import { count, type Io, size, table } from './io.js';
import { listLines } from './lists.js';
import { transcodedJson, transcodedLines } from './transcoded-text.js';

/** A backup, for people. */
export function backupText(io: Io, { file, record, plan, ms, removed, left }: DoneBackup): string {
  const { bold, dim, green, yellow } = io.colors;
  const { from, scopes, records, bytes, sha256, changedMeanwhile } = record;
  const rows = scopes.map(({ scope, records: held, positions: [first, last] }) => [
    scope,
    held,
    first === last ? first : `${first} to ${last}`,
  ]);
  const compared =
    changedMeanwhile === 0
      ? 'equal to the source'
      : yellow(`equal but for ${count(changedMeanwhile, 'record')} that changed once more meanwhile`);
  return [
    bold(`backup ${from} → ${file}`),
    table(io, ['store', 'records', 'position'], rows),
    ...transcodedLines(io, plan),
    ...noticeLines(io, plan),
    ...listLines(io, 'left by a backup that was killed, removed', left),
    ...listLines(io, 'not kept any longer, removed', removed),
    `${green('done')} ${count(records, 'record')}, ${size(bytes)}, in ${(ms / 1000).toFixed(1)} s: ${compared}`,
    dim(`  sha256 ${sha256}`),
  ].join('\n');
}

/** A backup, for programs. */
export function backupJson({ file, record, plan, ms, removed, left }: DoneBackup): object {
  const skipped = plan.scopes.flatMap((scope) =>
    [...scope.skipped()].map(({ path, kind, reason }) => ({ scope: scope.scope, path, kind, reason })),
  );
  const scopes = record.scopes.map((each) => {
    const planned = plan.scopes.find(({ scope }) => scope === each.scope);
    return { ...each, ...(planned === undefined ? {} : transcodedJson(planned)) };
  });
  return { command: 'backup', file, ms, ...record, scopes, skipped, removed, left };
}
