import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loudSkip } from './notices.js';

/** The topologies that Vitess itself wrote. */
export const FIXTURES = ['vitess-v24-small', 'vitess-v21-small'] as const;
export type FixtureName = (typeof FIXTURES)[number];

/** One record as Vitess stored it. */
export interface FixtureRecord {
  /** `global`, or the name of the cell whose local store holds the record. */
  readonly scope: string;
  /** Canonical path below that store's root. */
  readonly path: string;
  /** The stored bytes. */
  readonly value: Buffer;
  /** The message's name, or null for a raw file. */
  readonly kind: string | null;
  /** The record in canonical JSON with proto field names, as Vitess decodes it; null for a raw file. */
  readonly json: unknown;
}

/** The fixtures lie beside the checkout, not in it. */
const FOLDER = join(import.meta.dirname, '../../../shared/fixtures');

function parseRecord(line: string, where: string): FixtureRecord {
  const record: unknown = JSON.parse(line);
  if (
    typeof record !== 'object' ||
    record === null ||
    !('scope' in record && typeof record.scope === 'string') ||
    !('path' in record && typeof record.path === 'string') ||
    !('value' in record && typeof record.value === 'string') ||
    !('kind' in record && (record.kind === null || typeof record.kind === 'string')) ||
    !('json' in record)
  ) {
    throw new Error(`${where}: not a fixture record`);
  }
  const { scope, path, kind, json } = record;
  return { scope, path, value: Buffer.from(record.value, 'base64'), kind, json };
}

/**
 * The records of a fixture, sorted by scope and path; undefined (and a loud notice at the end of the test run) when
 * the fixtures are not beside the checkout. For `describe.runIf(fixtures(name) !== undefined)`.
 */
export function fixtures(name: FixtureName): readonly FixtureRecord[] | undefined {
  const file = join(FOLDER, `${name}.jsonl`);
  if (!existsSync(file)) {
    loudSkip(`the fixture ${name} is not beside this checkout: the tests that read it were not run`);
    return undefined;
  }
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, i) => (line === '' ? [] : [parseRecord(line, `${name}:${i + 1}`)]));
}

/** Legacy `zookeeper` trees of generation 1. */
export const LEGACY_FIXTURES = ['legacy-gen1-objects', 'legacy-gen1-replication-paths'] as const;

/** A znode of a legacy tree. */
export interface LegacyNode {
  /** Absolute, such as `/zk/nyc/vt/tablets/0000000100`. */
  readonly path: string;
  readonly value: Buffer | null;
}

/** The znodes of a legacy fixture; undefined as by {@link fixtures}. */
export function legacyFixture(name: (typeof LEGACY_FIXTURES)[number]): readonly LegacyNode[] | undefined {
  const file = join(FOLDER, `${name}.jsonl`);
  if (!existsSync(file)) {
    loudSkip(`the fixture ${name} is not beside this checkout: the tests that read it were not run`);
    return undefined;
  }
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (line === '') return [];
    const { path, value }: { path: string; value: string | null } = JSON.parse(line);
    return [{ path, value: value === null ? null : Buffer.from(value) }];
  });
}
