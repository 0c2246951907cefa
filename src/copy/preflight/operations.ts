import type { JsonObject } from '../../topo/codec-json.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ScopeReading } from './reading.js';
import type { DecodedRecord } from './survey.js';

/**
 * Operations in progress, as far as records show them. Shards in a form that has no serving flag are not told not to serve. Workflows of today live in the
 * tablets' databases, and do not.
 */
export function operations({ side, scope, survey, form }: ScopeReading): Diagnosis[] {
  if (survey === undefined) return [];
  const ofRecords = survey.decoded.flatMap((record) => {
    const place = { side, scope, path: record.path };
    switch (record.kind) {
      case 'Shard':
        return shardProblems(record)
          .filter(([id]) => form === undefined || id !== 'shard-not-serving')
          .map(([id, what]) => diagnose(id, place, what));
      case 'SrvKeyspace':
        return disabled(record).map((what) => diagnose('query-service-disabled', place, what));
      default:
        return [];
    }
  });
  const workflows = survey.workflows.map((path) =>
    diagnose('workflow-record', { side, scope, path }, 'a workflow is recorded'),
  );
  return [...ofRecords, ...workflows];
}

type ShardProblem =
  | 'frozen'
  | 'denied-tables'
  | 'source-shards'
  | 'shard-without-primary'
  | 'shard-not-serving';

function shardProblems({ fields }: DecodedRecord): [ShardProblem, string][] {
  const controls = objects(fields['tablet_controls']);
  const found: [ShardProblem, string][] = [];
  if (controls.some(({ frozen }) => frozen === true)) found.push(['frozen', 'the shard is frozen']);
  const denied = controls.flatMap((control) => texts(control['denied_tables']));
  if (denied.length > 0) found.push(['denied-tables', `queries to tables are refused: ${some(denied)}`]);
  const sources = objects(fields['source_shards']).map(
    ({ keyspace, shard }) => `${text(keyspace)}/${text(shard)}`,
  );
  if (sources.length > 0) found.push(['source-shards', `the shard is filled from ${some(sources)}`]);
  if (fields['primary_alias'] === undefined)
    found.push(['shard-without-primary', 'the shard has no primary']);
  if (fields['is_primary_serving'] !== true) found.push(['shard-not-serving', 'the shard does not serve']);
  return found;
}

function disabled({ fields }: DecodedRecord): string[] {
  return objects(fields['partitions']).flatMap((partition) => {
    const off = objects(partition['shard_tablet_controls'])
      .filter((control) => control['query_service_disabled'] === true)
      .map(({ name }) => text(name));
    return off.length === 0
      ? []
      : [`${text(partition['served_type'])} tablets of ${some(off)} serve no queries`];
  });
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : String(value ?? '');
}

const SHOWN = 10;

function some(names: readonly string[]): string {
  const unique = [...new Set(names)];
  return `${unique.slice(0, SHOWN).join(', ')}${unique.length > SHOWN ? ', …' : ''}`;
}
