import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.js';
import { type ConfigFolder, configFolder } from './config-file.js';

const MARK = 'm4rk3d-s3cret';

let folder: ConfigFolder;
beforeAll(async () => {
  folder = await configFolder();
});
afterAll(() => folder.remove());

/** `config check` of a text: code 2, at this place, with this message; nothing of the marked secret. */
async function refused(text: string, place: string, message: RegExp): Promise<void> {
  const file = await folder.write('fault.yaml', text);
  for (const output of [[], ['--output', 'json']]) {
    const { code, out, err } = await cli(['config', 'check', file, ...output], { SECRET: MARK, EMPTY: '' });
    expect(err).toContain(`${file}:${place}: `);
    expect(err).toMatch(message);
    expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(code).toBe(2);
    expect(out + err).not.toContain(MARK);
  }
}

describe('what is not YAML', () => {
  const faults: [name: string, text: string, place: string, message: RegExp][] = [
    ['an empty file', '', '1:1', /the file is empty/],
    ['a file of comments', '# nothing\n', '1:1', /the file is empty/],
    ['a key twice', `from: memory://a\nto: memory://a\nfrom: ${MARK}\n`, '3:1', /key from is given twice/],
    ['a tab', `from:\n\taddress: ${MARK}\n`, '2:1', /a tab/],
    ['two documents', `from: memory://a\n---\nto: ${MARK}\n`, '2:1', /second document/],
    ['a bracket too few', `from: [${MARK}\n`, '2:1', /indented|bracket/],
    ['indentation', `from:\n    address: memory://a\n  tls: ${MARK}\n`, '3:1', /indented/],
    ['a quote too few', `from: "${MARK}\nto: x\n`, '3:1', /missing|not YAML/],
    ['a tag', `from: !vault ${MARK}\n`, '1:7', /no tags/],
    ['an alias', `from: &base ${MARK}\nto: *base\n`, '2:5', /no aliases/],
    [
      'a variable between braces',
      `from:\n  address: zk2://h/a\n  auth: {username: u, password: \${SECRET}}\n`,
      '3:34',
      /a text with \$\{NAME\} needs quotes between braces/,
    ],
    ['a colon too many', `from: a: ${MARK}\n`, '1:7', /needs quotes/],
  ];
  test.each(faults)('%s', (_, text, place, message) => refused(text, place, message));
});

describe('what the schema refuses', () => {
  const faults: [name: string, text: string, place: string, message: RegExp][] = [
    ['a list', `- ${MARK}\n`, '1:1', /must be a mapping/],
    ['a text', `${MARK}\n`, '1:1', /must be a mapping/],
    [
      'an unknown key',
      'from: memory://a\nsorce: memory://a\n',
      '2:1',
      /sorce: unknown key.*\n.*cells, from, options, to/,
    ],
    [
      'a near miss',
      'from:\n  adress: memory://a\n',
      '2:3',
      /from\.adress: unknown key.*\n.*did you mean address\?/,
    ],
    ['another case', 'from:\n  address: a\n  locktTL: 3\n', '3:3', /did you mean lockTtl\?/],
    ['no value', 'from:\nto: memory://a\n', '1:6', /from: must be a text or a mapping/],
    ['a number', `from: 7\n`, '1:7', /from: must be a text or a mapping/],
    [
      'an unknown option',
      'options:\n  dryrun: true\n',
      '2:3',
      /options\.dryrun: unknown key.*\n.*did you mean dry-run\?/,
    ],
    [
      'a text for a switch',
      `options:\n  dry-run: ${MARK}\n`,
      '2:12',
      /options\.dry-run: must be true or false/,
    ],
    ['yes for true', 'options:\n  verify: yes\n', '2:11', /options\.verify: must be true or false/],
    ['a number out of range', 'options:\n  timeout: 0\n', '2:12', /options\.timeout: must be > 0/],
    ['a broken number', 'options:\n  concurrency: 1.5\n', '2:16', /must be a whole number/],
    ['another choice', `options:\n  zk-client: ${MARK}\n`, '2:14', /must be one of own, native/],
    [
      'a secret in the file',
      `from:\n  address: etcd2://h/a\n  auth:\n    username: u\n    password: ${MARK}\n`,
      '5:15',
      /from\.auth\.password: must be a variable of the environment as \$\{NAME\}, or \{file: NAME\}/,
    ],
    ['half a variable', `from:\n  auth:\n    token: x\${SECRET}\n`, '3:12', /must be a variable/],
    [
      'a secret in the wrong place',
      `from:\n  address: etcd2://h/a\n  auth: ${MARK}\n`,
      '3:9',
      /from\.auth: must be a mapping/,
    ],
    ['a user without password', 'from:\n  auth:\n    username: u\n', '3:5', /username needs password/],
    ['a certificate without key', 'from:\n  tls:\n    cert: a\n', '3:5', /cert needs key/],
    [
      'a cell without root',
      'to:\n  cells:\n    zone1:\n      server: h\n',
      '4:7',
      /to\.cells\.zone1: root is missing/,
    ],
    [
      'a cell with a comma',
      'to:\n  cells:\n    a,b: {server: h, root: /a}\n',
      '3:5',
      /this is no name of a cell/,
    ],
    [
      'no duration',
      `from:\n  lockTtl: ${MARK}\n`,
      '2:12',
      /from\.lockTtl: must be seconds, or a duration such as 1m30s/,
    ],
    ['an empty text', 'from: ""\n', '1:7', /from: must not be empty/],
  ];
  test.each(faults)('%s', (_, text, place, message) => refused(text, place, message));

  test('the first fault is told, and how many more there are', () =>
    refused('to: 7\nfrom: 8\noptions: 9\n', '1:5', /to: must be.*\n.*and 2 more faults/));
});

describe('what makes no sense', () => {
  const faults: [name: string, text: string, place: string, message: RegExp][] = [
    ['an address that is none', 'from: zk9://h/a\n', '1:7', /from: unknown topology implementation "zk9"/],
    ['a password in an address', `from: etcd2://u:${MARK}@h/a\n`, '1:7', /from: address etcd2 …@h/],
    [
      'an address twice',
      'from:\n  address: memory://a\n  root: /a\n',
      '3:3',
      /from\.root: address says that already/,
    ],
    ['half an address', 'from:\n  implementation: zk2\n  server: h\n', '1:1', /from: give address, or/],
    ['a variable that is not set', `from: \${NOWHERE}\n`, '1:7', /from: the variable NOWHERE/],
    ['a variable that is empty', `from: \${EMPTY}\n`, '1:7', /from: the variable EMPTY/],
    [
      'a secret in an address',
      `from: \${SECRET}\n`,
      '1:7',
      /from: with the variables that it names this is no address/,
    ],
    [
      'a secret for a duration',
      `from:\n  address: etcd2://h/a\n  lockTtl: \${SECRET}\n`,
      '3:12',
      /from\.lockTtl: this is no duration/,
    ],
    [
      'a login for another product',
      `from:\n  address: etcd2://h/a\n  auth:\n    token: \${SECRET}\n`,
      '4:5',
      /from\.auth\.token: this side takes username, password/,
    ],
    [
      'two logins',
      `from:\n  address: zk2://h/a\n  auth:\n    file: a\n    username: u\n    password: \${SECRET}\n`,
      '4:5',
      /from\.auth\.file: the file says everything/,
    ],
    ['TLS to a file', 'from:\n  address: file:a\n  tls: {}\n', '3:3', /from\.tls: file has no such thing/],
    ['a poll of etcd', 'from:\n  address: etcd2://h/a\n  watchPoll: 3\n', '3:3', /only Consul/],
    ['a size of etcd', 'from:\n  address: etcd2://h/a\n  juteMaxbuffer: 4194304\n', '3:3', /only ZooKeeper/],
    ['a size of a file', 'from:\n  address: file:a\n  juteMaxbuffer: 4194304\n', '3:3', /no such thing/],
    ['a size in words', 'from:\n  address: zk2://h/a\n  juteMaxbuffer: 4MB\n', '3:18', /a whole number/],
    ['a size that is too small', 'from:\n  address: zk2://h/a\n  juteMaxbuffer: 1000\n', '3:18', /524288/],
    ['a duration of two days', 'from:\n  address: etcd2://h/a\n  lockTtl: 48h\n', '3:12', /at most 24h/],
    [
      'a cell’s address',
      'to:\n  address: zk2://h/a\n  cells:\n    z: {server: "h:x", root: /a}\n',
      '4:8',
      /to\.cells\.z: address/,
    ],
    [
      'a secret file that is not there',
      'from:\n  address: consul://h/a\n  auth:\n    token: {file: none}\n',
      '4:12',
      /from\.auth\.token: the file .*none cannot be read: ENOENT/,
    ],
    [
      'a secret in place of the file that holds it',
      `from:\n  address: consul://h/a\n  auth:\n    token: {file: "\${SECRET}"}\n`,
      '4:13',
      /from\.auth\.token\.file: with the variables that it names there is no such file/,
    ],
    [
      'a secret in place of Vitess’s file',
      `from:\n  address: consul://h/a\n  auth:\n    file: "\${SECRET}"\n`,
      '4:5',
      /from\.auth\.file: with the variables that it names there is no such file/,
    ],
  ];
  test.each(faults)('%s', (_, text, place, message) => refused(text, place, message));

  test('a file that is not there, or named by nobody', async () => {
    expect(await cli(['config', 'check', '/nowhere/topo2topo.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('/nowhere/topo2topo.yaml cannot be read: ENOENT'),
    });
    expect(await cli(['config', 'check'])).toMatchObject({ code: 2, err: expect.stringMatching(/no file/) });
    expect((await cli(['ls', '--config', '/nowhere/topo2topo.yaml'])).code).toBe(2);
  });

  test('PEM files that are not there', async () => {
    const file = await folder.write('tls.yaml', 'to:\n  address: zk2://h/a\n  tls:\n    ca: none.pem\n');
    expect(await cli(['config', 'check', file])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/none\.pem cannot be read: ENOENT/),
    });
  });
});
