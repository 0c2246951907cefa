import { addressFlags, parseGiven } from './addresses.js';
import type { FlagSpec } from './command.js';
import { checkNumber, type Flags, looksLikeAddress, text, usage } from './flags.js';
import type { Env } from './io.js';
import { addressNames, cellFlag, type Side, tripleFlags, variableOf } from './side-flags.js';
import { parseBoolean } from './switches.js';

/** Everything a command is told. */
export interface Settings {
  readonly flags: Flags;
  /** The environment, and the secrets of the migration file under the names of the variables they stand for. */
  readonly env: Env;
}

/**
 * The settings of a command, from all their layers: the command line wins over the environment, that over the migration
 * file, that over presets. An address given in one layer replaces the whole address of a lower one, and a side of the
 * migration file altogether: its login belongs to its servers.
 */
export async function layered(given: Flags, specs: readonly FlagSpec[], env: Env): Promise<Settings> {
  const sides = SIDES_OF.filter((side) => specs.some(({ name }) => name === tripleFlags(side).root));
  const asked = defined(given);
  const set = { ...withoutReplaced(environmentFlags(specs, sides, env), asked, sides), ...asked };
  const presets = Object.fromEntries(
    specs.flatMap(({ name, preset }) => (preset === undefined ? [] : [[name, preset]])),
  );
  const open = sides.filter((side) => !givesAddress(set, side));
  const file = text(set, 'config');
  if (asked['side'] !== undefined && (file === undefined || open.length === 0))
    throw usage('--side chooses a side of a migration file', 'give --config FILE and no address');
  if (file === undefined) return { flags: { ...presets, ...set }, env };
  // What reads it is loaded only when there is one.
  const { readConfig } = await import('./config/read.js');
  const { sideSettings } = await import('./config/layer.js');
  const config = readConfig(file, env);
  const read = open.map((side) => sideSettings(config, side, text(set, 'side')));
  const names = new Set(specs.flatMap(({ name, spoken }) => (spoken === true ? [] : [name])));
  const options = Object.entries(config.options).filter(([name]) => names.has(name));
  return {
    flags: {
      ...presets,
      ...Object.fromEntries(options),
      ...Object.assign({}, ...read.map(({ flags }) => flags)),
      ...set,
    },
    env: Object.assign({}, ...read.map((side) => side.env), defined(env)),
  };
}

const SIDES_OF: readonly Side[] = ['from', 'to', ''];

/** The flags that the environment gives; one that may be given several times holds its values apart by white space. */
function environmentFlags(specs: readonly FlagSpec[], sides: readonly Side[], env: Env): Flags {
  const flags: Record<string, unknown> = {};
  for (const spec of specs) {
    const variable = variableOf(spec.name);
    const value = env[variable];
    if (spec.hidden !== true && spec.spoken !== true && value !== undefined && value !== '')
      flags[spec.name] = flagValue(spec, value, variable);
  }
  const address = env[variableOf('address')];
  return sides.includes('') && address !== undefined && address !== ''
    ? { ...flags, ...addressFlags(parseGiven(address), '') }
    : flags;
}

function flagValue(spec: FlagSpec, value: string, variable: string): unknown {
  if (spec.kind === 'switch') return parseBoolean(value, variable);
  if (spec.many === true) return value.split(/\s+/).filter((each) => each !== '');
  if (spec.choices?.includes(value) === false)
    throw usage(`${variable} must be one of ${spec.choices.join(', ')}`);
  checkNumber(spec.name, value, variable);
  return spec.kind === 'number' ? Number(value) : value;
}

/** Flags of a lower layer without the addresses that `above` replaces, and their cells. */
function withoutReplaced(flags: Flags, above: Flags, sides: readonly Side[]): Flags {
  const replaced = new Set(
    sides
      .filter((side) => givesAddress(above, side))
      .flatMap((side): string[] => [...addressNames(side), cellFlag(side)]),
  );
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !replaced.has(name)));
}

function givesAddress(flags: Flags, side: Side): boolean {
  return addressNames(side).some((name) =>
    // The first word of a command about one topology may be the path.
    name === 'address' ? isAddressWord(flags) : flags[name] !== undefined,
  );
}

function isAddressWord(flags: Flags): boolean {
  const word = text(flags, 'address');
  return word !== undefined && (flags['path'] !== undefined || looksLikeAddress(word));
}

function defined<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
