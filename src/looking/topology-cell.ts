import type { CallOptions, Connection } from '../topo/connection.js';
import { baseName } from '../topo/paths.js';
import type { TextOptions } from '../topo/text-format.js';
import { stateOf } from './entries.js';
import { rawForm, textForm, vitessVersion } from './forms.js';
import { nothingAt } from './nearby.js';

/** What Vitess's GetTopologyPath answers with: all fields are always there. */
export interface TopologyCell {
  /** Last segment of the path. */
  readonly name: string;
  /** `/<scope>/<path>`. */
  readonly path: string;
  /** Protobuf's text format; raw bytes as text. Empty for a directory. */
  readonly data: string;
  /** Names in a directory. Empty for a record. */
  readonly children: readonly string[];
  /** `0` for a directory. */
  readonly version: string;
}

/**
 * What is at a path of a scope, a record or a directory. As in Vitess, a record that has children is the record alone. NoNode;
 * Corrupt when a record does not decode.
 */
export async function topologyCell(
  scope: string,
  store: Connection,
  path: string,
  options: CallOptions & TextOptions,
): Promise<TopologyCell> {
  const state = await stateOf(store, path, options);
  if (state === undefined) throw await nothingAt(store, path, options);
  const { value, names = [] } = state;
  const named = {
    name: path === '' ? scope : baseName(path),
    path: `/${scope}${path === '' ? '' : `/${path}`}`,
  };
  if (value === undefined) return { ...named, data: '', children: names, version: '0' };
  const record = { path, ...value };
  const data = textForm(scope, record, options) ?? textOf(value.bytes);
  return { ...named, data, children: [], version: vitessVersion(value) };
}

/** What GetTopologyPath answers for `/`. */
export function topologyRoot(scopes: readonly string[]): TopologyCell {
  return { name: '', path: '/', data: '', children: scopes, version: '0' };
}

function textOf(bytes: Uint8Array): string {
  const raw = rawForm(bytes);
  return 'text' in raw ? raw.text : raw.base64;
}
