import { request } from 'node:http';
import { createConnection } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { listenOf, type Served, serve } from '../../src/cli/serve.js';

const all: Served[] = [];
afterEach(() => Promise.all(all.splice(0).map((served) => served.close())));

const answer = (body: string) => ({ status: 200, type: 'text/plain', body });

async function start(host = '127.0.0.1'): Promise<Served> {
  const served = await serve(
    { host, port: 0 },
    {
      '/one': () => answer('one'),
      '/broken': () => Promise.reject(new Error('a secret')),
    },
  );
  all.push(served);
  return served;
}

describe('--listen', () => {
  test.each([
    ['9184', { host: '127.0.0.1', port: 9184 }],
    ['0.0.0.0:9184', { host: '0.0.0.0', port: 9184 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:9184', { host: '::1', port: 9184 }],
  ])('%s', (given, listen) => {
    expect(listenOf({ listen: given })).toEqual(listen);
  });

  test.each([':9184', 'localhost', '65536', '::1:9184', 'http://localhost:9184', ''])(
    'refuses %j, and says how to write it',
    (given) => {
      expect(() => listenOf({ listen: given })).toThrow(
        expect.objectContaining({ code: 'Usage', hint: expect.stringContaining('0.0.0.0:9184') }),
      );
    },
  );
});

test('answers GET and HEAD, names the paths that there are, and tells nothing of its faults', async () => {
  const { url } = await start();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await (await fetch(`${url}/one?x=1`)).text()).toBe('one');
  const head = await fetch(`${url}/one`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', '']);
  const other = await fetch(`${url}/constructor`);
  expect([other.status, await other.text()]).toEqual([404, 'there are /one, /broken\n']);
  const post = await fetch(`${url}/one`, { method: 'POST', body: 'x' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  const broken = await fetch(`${url}/broken`);
  expect([broken.status, await broken.text()]).toEqual([500, 'a fault of this program\n']);
});

test('a place where somebody else listens is refused', async () => {
  const { url } = await start();
  await expect(serve({ host: '127.0.0.1', port: Number(new URL(url).port) }, {})).rejects.toMatchObject({
    code: 'Usage',
    message: expect.stringContaining('EADDRINUSE'),
  });
});

test('ends though clients keep their connections, and listens no more', async () => {
  const served = await start();
  const { port } = new URL(served.url);
  const idle = createConnection(Number(port), '127.0.0.1');
  await new Promise<void>((resolve) => idle.once('connect', () => resolve()));
  const closed = new Promise<void>((resolve) => idle.once('close', () => resolve()));
  idle.on('error', () => {});
  await served.close();
  await closed;
  await served.close();
  const refused = new Promise((resolve) => request(served.url).once('error', resolve).end());
  expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
});
