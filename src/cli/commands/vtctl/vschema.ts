import { keyspaceOf, vschemaPath } from '../../../building/records.js';
import { planApplyRules, planApplyVSchema, RULES } from '../../../building/rules.js';
import { checkChanges } from '../../../topo/changes.js';
import { encode } from '../../../topo/codec.js';
import type { JsonObject } from '../../../topo/codec-json.js';
import { findDecodable } from '../../../topo/find.js';
import { readFlagFile } from '../../files.js';
import { usage } from '../../flags.js';
import { type Call, change, type VtctlCommand, word } from './command.js';
import { printSet, recordAt } from './print.js';

const APPLY_FLAGS = { cells: 'text', 'skip-rebuild': 'switch', 'dry-run': 'switch' } as const;
const APPLY_PARAMS = '[-cells <cell1>,<cell2>,...] [-skip_rebuild] [-dry-run]';

/** Commands about VSchemas and routing rules. */
export const VSCHEMA_COMMANDS: readonly VtctlCommand[] = [
  {
    name: 'GetVSchema',
    params: '<keyspace>',
    describe: 'prints a VSchema in JSON',
    words: [1, 1],
    async run(call) {
      const path = vschemaPath(word(call, 0));
      printSet(call, 'vschema.Keyspace', await recordAt(call, path, 'vschema.Keyspace'));
    },
  },
  {
    name: 'ApplyVSchema',
    params: `{-vschema <vschema> || -vschema_file <file>} ${APPLY_PARAMS} <keyspace>`,
    describe: 'replaces a VSchema; rebuilds SrvVSchema',
    flags: { ...APPLY_FLAGS, vschema: 'text', 'vschema-file': 'text', sql: 'text', 'sql-file': 'text' },
    words: [1, 1],
    writes: true,
    run: applyVSchema,
  },
  getRules('GetRoutingRules', 'RoutingRules', 'vschema.RoutingRules'),
  getRules('GetShardRoutingRules', 'ShardRoutingRules', 'vschema.ShardRoutingRules'),
  getRules('GetKeyspaceRoutingRules', 'routing_rules/keyspace/Rules', 'vschema.KeyspaceRoutingRules'),
  getRules('GetMirrorRules', 'MirrorRules', 'vschema.MirrorRules'),
  applyRules('ApplyRoutingRules', 'RoutingRules'),
  applyRules('ApplyShardRoutingRules', 'ShardRoutingRules'),
];

/** A command that prints rules; none where there is no record. */
function getRules(name: string, path: string, message: string): VtctlCommand {
  return {
    name,
    params: '',
    describe: `prints ${message.split('.')[1]} in JSON`,
    words: [0, 0],
    async run(call) {
      const found = await findDecodable(call.topology.global, path, message, call.options);
      printSet(call, message, found?.bytes ?? new Uint8Array());
    },
  };
}

function applyRules(name: string, kind: keyof typeof RULES): VtctlCommand {
  return {
    name,
    params: `{-rules <rules> || -rules_file <file>} ${APPLY_PARAMS}`,
    describe: `replaces ${kind}, none of which means no record; rebuilds SrvVSchema`,
    flags: { ...APPLY_FLAGS, rules: 'text', 'rules-file': 'text' },
    words: [0, 0],
    writes: true,
    async run(call) {
      const rules = givenJson(call, 'rules');
      const { options } = call;
      const changes = await planApplyRules(call.topology, kind, rules, {
        ...options,
        rebuild: rebuildOf(call),
      });
      await apply(call, kind, RULES[kind], rules, changes);
    },
  };
}

async function applyVSchema(call: Call): Promise<void> {
  const { args, topology, options } = call;
  if (args.has('sql') || args.has('sql-file'))
    throw usage('VSchemas in SQL are not read here', 'write it as JSON, and give it with -vschema_file');
  const vschema = givenJson(call, 'vschema');
  await keyspaceOf(topology, word(call, 0), options);
  const rebuild = rebuildOf(call);
  const changes = await planApplyVSchema(topology, word(call, 0), vschema, { ...options, rebuild });
  await apply(call, 'VSchema', 'vschema.Keyspace', vschema, changes);
}

async function apply(
  call: Call,
  what: string,
  message: string,
  json: JsonObject,
  changes: Parameters<typeof change>[1],
): Promise<void> {
  const { args, io } = call;
  io.out(`New ${what} object:`);
  printSet(call, message, encode(message, json));
  io.out('If this is not what you expected, check the input data.');
  if (args.isOn('dry-run')) {
    await checkChanges(call.topology, changes, call.options);
    io.out(`Dry run: Skipping update of ${what}`);
    return;
  }
  await change(call, changes);
  if (args.isOn('skip-rebuild'))
    io.err('SrvVSchema is not rebuilt: RebuildVSchemaGraph makes the change take effect');
}

function rebuildOf({ args }: Call) {
  return { skip: args.isOn('skip-rebuild'), cells: args.list('cells') };
}

/** JSON of a flag, or of the file that another names. Usage unless it is one of them, and an object. */
function givenJson({ args }: Call, name: string): JsonObject {
  const [text, file] = [args.text(name), args.text(`${name}-file`)];
  if ((text === '') === (file === ''))
    throw usage(`exactly one of -${name} and -${name}_file must be specified`, `-${name} takes JSON`);
  const source = text === '' ? `the file ${file}` : `-${name}`;
  const parsed = parse(text === '' ? readFlagFile(file).toString('utf8') : text);
  if (parsed === undefined) throw usage(`${source} holds no JSON object`);
  return parsed;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
