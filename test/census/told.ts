import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { cliJson } from '../support/cli.js';

/** What `check cluster --output json` says, as far as tests look at it. */
export interface Told {
  readonly healthy: boolean;
  readonly conclusive: boolean;
  readonly counts: { readonly stores: Readonly<Record<string, number>> } & Readonly<Record<string, unknown>>;
  readonly findings: readonly {
    readonly id: string;
    readonly scope?: string;
    readonly path?: string;
    readonly process?: string;
    readonly what: string;
  }[];
  readonly processes: readonly Readonly<Record<string, unknown>>[];
}

const validate = new Ajv2020({ strictRequired: false }).compile(
  JSON.parse(readFileSync('schema/check-cluster.schema.json', 'utf8')),
);

/** Checks a cluster for programs, in two looks. Fails unless the exit code is `code`, or the document is not as its schema says. */
export async function checkCluster(
  address: string,
  code: number,
  more: readonly string[] = [],
): Promise<Told> {
  const told = await cliJson(['check', 'cluster', address, '--sample', '200ms', ...more], [code]);
  expect(validate(told), JSON.stringify(validate.errors)).toBe(true);
  return told as Told;
}

/** `id process what` of each finding. */
export function said({ findings }: Told): string[] {
  return findings.map(({ id, process, what }) =>
    [id, process, what].filter((part) => part !== undefined).join(' '),
  );
}
