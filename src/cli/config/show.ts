import { formatGiven, whereIs } from '../addresses.js';
import type { Env, Io } from '../io.js';
import { connectSettings } from '../login.js';
import { sideSettings } from './layer.js';
import type { Config, Secret, SideConfig } from './read.js';

const SIDES = ['from', 'to'] as const;

/** Reads every file that a migration file names, as a command would. Usage. */
export function checkLogin(config: Config, env: Env): void {
  for (const side of SIDES) {
    const found = config[side];
    if (found === undefined) continue;
    const settings = sideSettings(config, side, undefined);
    connectSettings(settings.flags, side, { ...settings.env, ...env }, whereIs(found.address, env).address);
  }
}

/** What a migration file says, for people. */
export function configText(io: Io, config: Config): string {
  const { bold, green } = io.colors;
  const lines = [bold(config.file)];
  for (const side of SIDES) {
    const found = config[side];
    if (found !== undefined)
      lines.push(`  ${side.padEnd(8)} ${formatGiven(found.address)}`, ...sideLines(found));
  }
  if (config.cellRoot !== undefined) lines.push(`  new cells at ${config.cellRoot}`);
  for (const [name, value] of Object.entries(config.options)) lines.push(`  option   ${name} ${value}`);
  return [...lines, green('ok')].join('\n');
}

function sideLines({
  tls,
  user,
  token,
  tokens,
  authFile,
  cells,
  juteMaxbuffer,
  times,
}: SideConfig): string[] {
  const lines = [];
  if (tls !== undefined) {
    const parts = Object.entries(tls).map(([name, value]) => `${name} ${value}`);
    lines.push(`tls ${parts.length === 0 ? 'with the authorities of this machine' : parts.join(', ')}`);
  }
  if (user !== undefined) lines.push(`user ${user.username}, password ${hidden(user.password)}`);
  if (token !== undefined) lines.push(`token ${hidden(token)}`);
  for (const [scope, secret] of tokens) lines.push(`token of ${scope} ${hidden(secret)}`);
  if (authFile !== undefined) lines.push(`login in ${authFile}`);
  for (const [cell, { server, root }] of cells) lines.push(`cell ${cell} at ${server} ${root}`);
  if (juteMaxbuffer !== undefined) lines.push(`juteMaxbuffer ${juteMaxbuffer}`);
  for (const [name, value] of Object.entries(times)) lines.push(`${name} ${value}`);
  return lines.map((line) => `           ${line}`);
}

/** What a migration file says, for programs. */
export function configJson(config: Config): object {
  const { file, from, to, cellRoot, options } = config;
  return {
    command: 'config check',
    file,
    from: from === undefined ? undefined : sideJson(from),
    to: to === undefined ? undefined : sideJson(to),
    cells: cellRoot === undefined ? undefined : { root: cellRoot },
    options,
  };
}

function sideJson({
  address,
  tls,
  user,
  token,
  tokens,
  authFile,
  cells,
  juteMaxbuffer,
  times,
}: SideConfig): object {
  const auth = {
    username: user?.username,
    password: user === undefined ? undefined : hidden(user.password),
    token: token === undefined ? undefined : hidden(token),
    tokens:
      tokens.size === 0 ? undefined : new Map([...tokens].map(([scope, secret]) => [scope, hidden(secret)])),
    file: authFile,
  };
  const hasAuth = Object.values(auth).some((value) => value !== undefined);
  return {
    address: formatGiven(address),
    tls,
    auth: hasAuth ? auth : undefined,
    cells: cells.size === 0 ? undefined : cells,
    juteMaxbuffer,
    ...times,
  };
}

function hidden({ source }: Secret): string {
  return `hidden, from ${source}`;
}
