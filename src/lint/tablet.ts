import { object, text } from '../editing/ranges.js';
import type { JsonObject } from '../topo/codec-json.js';
import { found, type LintFinding, type Where } from './finding.js';

/** What is wrong with a Tablet, or worth knowing, by itself. */
export function* tabletItself(json: JsonObject, where: Where): Generator<LintFinding> {
  const type = json['type'] ?? 'UNKNOWN';
  // Enum values that the schema does not know stay numbers.
  if (typeof type === 'number')
    yield found(
      'tablet-type-unknown',
      where,
      `its type is ${type}, one of the alphas of Vitess 2.0, in which all types have other numbers`,
      'error',
    );
  else if (type === 'UNKNOWN') yield found('tablet-type-unknown', where, 'it has no type');
  if (text(json['hostname']) !== '') return;
  const rest = [
    ...(text(json['mysql_hostname']) === '' ? [] : ['a mysql_hostname']),
    ...(Object.keys(object(json['port_map'])).length === 0 ? [] : ['ports']),
  ];
  if (rest.length > 0)
    yield found('blank-hostname', where, `it has no hostname, but ${rest.join(' and ')}`, 'warn');
  else if (type === 'PRIMARY')
    yield found('blank-hostname', where, 'it was stopped, and is a PRIMARY', 'warn');
  else yield found('blank-hostname', where, 'it was stopped');
}
