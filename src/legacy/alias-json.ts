import type { Json } from '../topo/codec-json.js';
import type { TabletAlias } from '../topo/names.js';
import { isObject } from './json-text.js';

/** A TabletAlias in canonical JSON; undefined: none, or the zero alias, which means none. */
export function aliasIn(json: Json | undefined): TabletAlias | undefined {
  if (!isObject(json)) return undefined;
  const alias = { cell: String(json['cell'] ?? ''), uid: Number(json['uid'] ?? 0) };
  return alias.cell === '' && alias.uid === 0 ? undefined : alias;
}
