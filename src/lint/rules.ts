import { list, text } from '../editing/ranges.js';
import type { JsonObject } from '../topo/codec-json.js';
import { found, type LintFinding } from './finding.js';
import { missing, parseTable } from './tables.js';
import type { RulesKind, World } from './world.js';

/** What is wrong with routing and mirror rules: where they lead, and what they are about. */
export function* rules(world: World): Generator<LintFinding> {
  for (const [kind, all] of world.rules) for (const rule of all) yield* OF_KIND[kind](rule, world);
}

const OF_KIND: Readonly<Record<RulesKind, (rule: JsonObject, world: World) => Generator<LintFinding>>> = {
  RoutingRules: function* ({ from_table, to_tables }, world) {
    const where = { path: 'RoutingRules' };
    const from = text(from_table);
    yield* aboutTable(from, where, world);
    // Of several targets vtgate looks at none, which is told by itself.
    if (list(to_tables).length === 1) yield* leadsTo(text(list(to_tables)[0]), from, where, world);
  },
  ShardRoutingRules: function* ({ from_keyspace, to_keyspace, shard }, world) {
    const where = { path: 'ShardRoutingRules' };
    const [from, to, name] = [text(from_keyspace), text(to_keyspace), text(shard)];
    const rule = `the rule for ${from}/${name}`;
    if (!world.keyspaces.has(from))
      yield found('rule-from-gone', where, `${rule}: there is no keyspace ${from}`);
    const target = world.keyspaces.get(to);
    if (target === undefined)
      yield found(
        'rule-keyspace-gone',
        where,
        `${rule} leads to ${to || '(nothing)'}: there is no such keyspace`,
      );
    else if (!target.shards.has(name))
      yield found('rule-shard-gone', where, `${rule} leads to ${to}, which has no shard ${name}`);
  },
  // A keyspace that is routed away need not exist.
  KeyspaceRoutingRules: function* ({ from_keyspace, to_keyspace }, world) {
    const where = { path: 'routing_rules/keyspace/Rules' };
    const to = text(to_keyspace);
    if (!world.keyspaces.has(to))
      yield found(
        'rule-keyspace-gone',
        where,
        `the rule for ${text(from_keyspace)} leads to ${to || '(nothing)'}: there is no such keyspace`,
      );
  },
  MirrorRules: function* ({ from_table, to_table }, world) {
    const where = { path: 'MirrorRules' };
    const from = text(from_table);
    yield* aboutTable(from, where, world);
    yield* leadsTo(text(to_table), from, where, world);
  },
};

function* aboutTable(from: string, where: { path: string }, world: World): Generator<LintFinding> {
  const keyspace = parseTable(from.replace(TYPE_SUFFIX, ''))?.keyspace ?? '';
  if (keyspace !== '' && !world.keyspaces.has(keyspace))
    yield found('rule-from-gone', where, `the rule for ${from}: there is no keyspace ${keyspace}`);
}

function* leadsTo(to: string, from: string, where: { path: string }, world: World): Generator<LintFinding> {
  const rule = `the rule for ${from} leads to`;
  if ((parseTable(to)?.keyspace ?? '') === '') {
    yield found('rule-table-gone', where, `${rule} ${to || '(nothing)'}, which names no keyspace and table`);
    return;
  }
  const lost = missing(world, to);
  if (lost !== undefined) yield found(`rule-${lost.of}-gone`, where, `${rule} ${lost.text}`);
}

/** The types of tablets that a rule may be for. */
const TYPE_SUFFIX = /@(primary|replica|rdonly)$/;
