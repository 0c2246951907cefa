import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Kind } from '../topo/kinds.js';
import type { Loss } from '../topo/told.js';
import type { Action } from './entries.js';
import type { KindCounts } from './plan.js';

/** What a plan is about: the first line of a plan file. */
export interface PlanHead {
  readonly tool: string;
  /** When it was made, ISO 8601. */
  readonly made: string;
  /** Addresses of both global stores, without credentials. */
  readonly from: string;
  readonly to: string;
  readonly cells: readonly { readonly name: string; readonly address: string }[];
  /** Flags that the plan was made with, by name: where the cells are, and what was selected. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[]>>;
  /** Identities of the stores, by `from:SCOPE` and `to:SCOPE`. */
  readonly identities: Readonly<Record<string, string>>;
}

/** A line of a plan file, as schema/plan.schema.json says. */
export type PlanLine =
  | ({ readonly type: 'plan'; readonly version: 1 } & PlanHead)
  | {
      readonly type: 'record';
      readonly scope: string;
      readonly action: Action;
      readonly kind: Kind;
      readonly path: string;
      readonly from?: string;
      readonly to?: string;
      readonly reason?: string;
      readonly bytes?: number;
    }
  | {
      readonly type: 'part';
      readonly scope: string;
      readonly from: string;
      readonly to: string;
      readonly read: number;
      readonly positions: Readonly<Record<'from' | 'to', { readonly first: string; readonly last: string }>>;
      readonly forms?: { readonly from: string; readonly to: string };
      readonly filledIn?: Readonly<Record<string, { readonly by: string; readonly records: number }>>;
      readonly counts: Readonly<Partial<Record<Kind, KindCounts>>>;
    }
  | ({
      readonly type: 'loss';
      readonly scope: string;
      readonly record?: Kind;
    } & Loss)
  | {
      readonly type: 'told';
      readonly scope: string;
      readonly as: 'derived' | 'odd' | 'left' | 'serving' | 'read';
      readonly path: string;
      readonly field?: string;
      readonly text: string;
    }
  | { readonly type: 'end'; readonly records: number };

const SCHEMA = new URL('../../schema/plan.schema.json', import.meta.url);

/** Reads a line. Usage, with its number, when the published schema refuses it. */
export function planLine(file: string, number: number, text: string): PlanLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notPlan(file, number, 'it is not JSON');
  }
  if (isLine(value)) return value;
  throw notPlan(file, number, 'it is not as schema/plan.schema.json has it');
}

function isLine(value: unknown): value is PlanLine {
  compiled ??= new Ajv2020({ strictRequired: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
  return compiled(value) === true;
}

let compiled: ValidateFunction | undefined;

function notPlan(file: string, number: number, why: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, `${file} is no plan, from line ${number} on: ${why}`, {
    hint: 'give a file that topo2topo plan -o wrote, unchanged',
  });
}
