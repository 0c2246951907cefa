import { probe as probeMembers } from '../../http/probe.js';
import type { ConsulClient } from './client.js';
import { FAILURES } from './error.js';

/** Proves that a member answers and lets the root be read. See {@link probeMembers}. */
export function probe(client: ConsulClient, timeoutMs: number): Promise<void> {
  const key = client.keys.nobody('');
  return probeMembers(client, FAILURES, timeoutMs, (member, limits) => member.get({ key }, limits));
}
