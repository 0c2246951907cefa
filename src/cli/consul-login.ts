import type { StoreAddress } from '../topo/address.js';
import type { TlsSettings } from '../topo/backend.js';
import { secretFile } from './files.js';
import { type Flags, text, usage } from './flags.js';
import type { Env } from './io.js';
import { tlsOfFiles } from './pem.js';
import { type Side, secretVariable, sideFlag } from './side-flags.js';
import { parseBoolean } from './switches.js';

/** What logging in to Consul takes. */
interface ConsulLogin {
  readonly tls: TlsSettings | undefined;
  readonly consulToken: string | undefined;
  readonly consulTokens: ReadonlyMap<string, string> | undefined;
}

/**
 * Tokens and TLS for Consul. Flags win over our own variables, those over the variables of Consul's own tools
 * (CONSUL_HTTP_SSL, CONSUL_CACERT, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME, CONSUL_HTTP_TOKEN_FILE,
 * CONSUL_HTTP_TOKEN), which hold for both sides.
 */
export function consulLogin(
  flags: Flags,
  side: Side,
  env: Env,
  address: StoreAddress,
  tls: TlsSettings | undefined,
): ConsulLogin {
  return {
    tls: tls ?? tlsOfEnvironment(env, address),
    consulToken: tokenOfEnvironment(env, side),
    consulTokens: tokens(flags, side, env),
  };
}

function tokens(flags: Flags, side: Side, env: Env): ReadonlyMap<string, string> | undefined {
  const file = text(flags, sideFlag(side, 'consul-auth-static-file'));
  if (file !== undefined) return readTokens(secretFile(file), `the file ${file}`);
  const variable = secretVariable(side, 'CONSUL_AUTH');
  const given = env[variable] ?? '';
  return given === '' ? undefined : readTokens(given, variable);
}

/** Vitess's form: `{"global": {"acl_token": "…"}, "<cell>": {"acl_token": "…"}}`. What it holds is in no message. */
function readTokens(json: string, named: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const scopes = object(parse(json));
  if (scopes === undefined) throw noTokens(named);
  for (const [scope, login] of Object.entries(scopes)) {
    const token = object(login)?.['acl_token'];
    if (typeof token !== 'string') throw noTokens(named);
    found.set(scope, checkedToken(token, named));
  }
  return found;
}

/** No HTTP header takes other signs, and what says so later is taken for a server that cannot be reached. */
function checkedToken(token: string, named: string): string {
  if (/^[!-~]*$/.test(token)) return token;
  throw usage(
    `${named} holds a token with a space or another sign that no token has`,
    'look for the end of a line, or quotes, around it',
  );
}

function noTokens(named: string) {
  return usage(
    `${named} holds no tokens as Vitess writes them`,
    'write {"global": {"acl_token": "…"}, "CELL": {"acl_token": "…"}}',
  );
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function tokenOfEnvironment(env: Env, side: Side): string | undefined {
  const variable = secretVariable(side, 'CONSUL_TOKEN');
  const own = given(env, variable);
  if (own !== undefined) return checkedToken(own, variable);
  const file = given(env, 'CONSUL_HTTP_TOKEN_FILE');
  if (file !== undefined) return checkedToken(secretFile(file), `the file ${file}`);
  const token = given(env, 'CONSUL_HTTP_TOKEN');
  return token === undefined ? undefined : checkedToken(token, 'CONSUL_HTTP_TOKEN');
}

/** As Consul's own clients have it: certificates alone ask for no TLS, CONSUL_HTTP_SSL or an https address does. */
function tlsOfEnvironment(env: Env, address: StoreAddress): TlsSettings | undefined {
  const wanted = parseBoolean(given(env, 'CONSUL_HTTP_SSL') ?? 'false', 'CONSUL_HTTP_SSL');
  if (!wanted && !address.server.startsWith('https://')) return undefined;
  const [ca, cert, key] = ['CONSUL_CACERT', 'CONSUL_CLIENT_CERT', 'CONSUL_CLIENT_KEY'].map((name) =>
    given(env, name),
  );
  if ((cert === undefined) !== (key === undefined))
    throw usage('CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY go together');
  return tlsOfFiles({ ca, cert, key }, given(env, 'CONSUL_TLS_SERVER_NAME'));
}

/** A variable that is set to something. */
function given(env: Env, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}
