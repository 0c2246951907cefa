import type { ConsulCluster } from '../servers/index.js';

/**
 * Makes a token with these rules.
 *
 * @param management the token that is allowed everything
 */
export async function makeToken({ apis }: ConsulCluster, management: string, rules: string): Promise<string> {
  const put = async (path: string, body: object): Promise<unknown> => {
    const reply = await fetch(`${apis[0]}/v1/acl/${path}`, {
      method: 'PUT',
      headers: { 'X-Consul-Token': management },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    if (!reply.ok) throw new Error(`Consul says ${reply.status} to ${path}`);
    return reply.json();
  };
  made += 1;
  const name = `rules-${made}`;
  await put('policy', { Name: name, Rules: rules });
  const token = await put('token', { Policies: [{ Name: name }] });
  return (token as { SecretID: string }).SecretID;
}

let made = 0;
