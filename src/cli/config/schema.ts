import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { shown } from '../flags.js';
import type { ConfigDocument, Path } from './document.js';
import { nearest, problem } from './problem.js';

/** Where the published schema of migration files is. */
export const SCHEMA_FILE = new URL('../../../schema/topo2topo.schema.json', import.meta.url);

/** Refuses a document that the published schema refuses: its first fault, with its place. Usage. */
export function checkSchema(document: ConfigDocument): void {
  const check = validator();
  if (check(document.value)) return;
  const faults = (check.errors ?? []).map((error) => ({ error, at: placeOf(document, error) }));
  faults.sort((a, b) => a.at.line - b.at.line || a.at.col - b.at.col);
  const [first] = faults;
  if (first === undefined) return;
  const { message, hint } = inWords(first.error);
  const others = new Set(faults.map(({ at }) => `${at.line}:${at.col}`)).size - 1;
  const more = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'fault' : 'faults'})`;
  const subject = [pathOf(first.error), unknownKey(first.error)].flat().filter((part) => part !== undefined);
  throw problem(
    document.file,
    first.at,
    subject.length === 0 ? message : `${subject.map(shown).join('.')}: ${message}`,
    `${hint}${more}`,
  );
}

let compiled: ValidateFunction | undefined;

/** Compiling takes much longer than checking. */
function validator(): ValidateFunction {
  compiled ??= compile();
  return compiled;
}

function compile(): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, verbose: true, strictRequired: false });
  return ajv.compile(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')));
}

function placeOf(document: ConfigDocument, error: ErrorObject) {
  const path = pathOf(error);
  const key = unknownKey(error);
  if (key !== undefined) return document.locate([...path, key], 'key');
  return document.locate(path);
}

function pathOf(error: ErrorObject): Path {
  return error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The key that an error is about, where it is not about the value of one. */
function unknownKey({ keyword, params, propertyName }: ErrorObject): string | undefined {
  if (keyword === 'additionalProperties') return String(params['additionalProperty']);
  return propertyName ?? (keyword === 'propertyNames' ? String(params['propertyName']) : undefined);
}

/** What is wrong and what is allowed, without the value: it may be a secret in the wrong place. */
function inWords({ keyword, params, message, parentSchema, propertyName }: ErrorObject): {
  message: string;
  hint: string;
} {
  const title = text(parentSchema?.['title']);
  const described = text(parentSchema?.['description']) ?? 'docs/migration-file.md says what is allowed';
  if (propertyName !== undefined || keyword === 'propertyNames')
    return { message: 'this is no name of a cell', hint: described };
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys(object(parentSchema?.['properties']));
      const meant = nearest(String(params['additionalProperty']), known);
      const hint = `${meant === undefined ? '' : `did you mean ${meant}? `}allowed here: ${known.toSorted().join(', ')}`;
      return { message: 'unknown key', hint };
    }
    case 'type':
      return { message: `must be ${title ?? typeInWords(params['type'])}`, hint: described };
    case 'required':
      return {
        message: title === undefined ? `${params['missingProperty']} is missing` : `must be ${title}`,
        hint: described,
      };
    case 'dependentRequired':
      return { message: `${params['property']} needs ${params['missingProperty']}`, hint: described };
    case 'enum':
      return { message: `must be one of ${[params['allowedValues']].flat().join(', ')}`, hint: described };
    case 'pattern':
      return { message: `must be ${title ?? 'of another form'}`, hint: described };
    case 'minLength':
    case 'minProperties':
      return { message: 'must not be empty', hint: described };
    default:
      return { message: message ?? 'is not allowed', hint: described };
  }
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
};

function typeInWords(types: unknown): string {
  return [types]
    .flat()
    .map((type) => TYPES[String(type)] ?? String(type))
    .join(' or ');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function object(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
