import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../conformance/tools.js';
import { FaultProxy, FaultWay } from './index.js';

/** What a server has got, and how its connections ended. */
let got = '';
let ends: string[] = [];
let server: Server;
let proxy: FaultProxy;
const open: Socket[] = [];

const portOf = (listening: Server): number => (listening.address() as AddressInfo).port;

beforeEach(async () => {
  got = '';
  ends = [];
  server = createServer((socket) => {
    open.push(socket);
    socket.on('data', (chunk) => {
      got += chunk;
      socket.write(`<${chunk}>`);
    });
    socket.on('end', () => ends.push('end'));
    socket.on('error', () => ends.push('reset'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.to(`127.0.0.1:${portOf(server)}`);
});

afterEach(async () => {
  await proxy.close();
  for (const socket of open.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** A client of the proxy, with what it hears and how its connection ended. */
async function dial(): Promise<{ socket: Socket; heard: () => string; ended: () => string | undefined }> {
  const [host = '', port] = proxy.address.split(':');
  const socket = connect({ host, port: Number(port) });
  let text = '';
  let end: string | undefined;
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('end', () => {
    end ??= 'end';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end ??= error.code ?? error.message;
  });
  open.push(socket);
  await Promise.race([once(socket, 'connect'), once(socket, 'close').catch(() => {})]).catch(() => {});
  return { socket, heard: () => text, ended: () => end };
}

const becomes = (what: string, holds: () => boolean) => eventually(what, async () => holds());

test('without faults both sides hear one another, and the end of one is the end of the other', async () => {
  const { socket, heard, ended } = await dial();
  socket.write('question');
  await becomes('the answer', () => heard() === '<question>');
  socket.end();
  await becomes('the end', () => ends.includes('end') && ended() === 'end');
});

test('latency, jitter and bandwidth delay what arrives, and neither lose nor reorder it', async () => {
  const { socket, heard } = await dial();
  proxy.shape('requests', { latencyMs: 40, jitterMs: 40, bytesPerSecond: 50_000 });
  proxy.shape('answers', { latencyMs: 40 });
  const begun = performance.now();
  const text = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(5, '0')).join('');
  for (let at = 0; at < text.length; at += 500) socket.write(text.slice(at, at + 500));
  await becomes('all of it', () => got === text && heard().replaceAll(/[<>]/g, '') === text);
  // 5,000 bytes take 100 ms at 50,000 a second, and each way has its latency.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(170);
});

test.each(['requests', 'answers'] as const)(
  'muted %s do not arrive, and are lost when the way is mended',
  async (direction) => {
    const { socket, heard, ended } = await dial();
    socket.write('a');
    await becomes('an answer', () => heard() === '<a>');
    proxy.mute(direction);
    socket.write('b');
    if (direction === 'answers') await becomes('the request', () => got === 'ab');
    else await new Promise((resolve) => setTimeout(resolve, 50));
    expect([heard(), got]).toEqual(['<a>', direction === 'answers' ? 'ab' : 'a']);
    await proxy.mend();
    await becomes('the reset', () => ended() === 'ECONNRESET' && ends.includes('reset'));
    const next = await dial();
    next.socket.write('c');
    await becomes('an answer', () => next.heard() === '<c>');
    expect(got).toBe(direction === 'answers' ? 'abc' : 'ac');
  },
);

test('what is muted arrives when it is not muted any more', async () => {
  const { socket, heard } = await dial();
  proxy.mute('requests');
  socket.write('a');
  proxy.shape('requests', {});
  await becomes('the answer', () => heard() === '<a>');
});

test('a muted way hides that a side is gone', async () => {
  const { socket, ended } = await dial();
  await becomes('the connection', () => open.length === 2);
  proxy.mute('requests');
  proxy.mute('answers');
  socket.resetAndDestroy();
  const other = await dial();
  await becomes('its connection', () => open.length === 4);
  for (const each of open) if (each !== socket && each !== other.socket) each.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([ends, ended(), other.ended()]).toEqual([[], undefined, undefined]);
});

describe('resets', () => {
  test('now: both sides see RST, and a new connection works', async () => {
    const { socket, heard, ended } = await dial();
    socket.write('a');
    await becomes('an answer', () => heard() === '<a>');
    proxy.reset();
    await becomes('the reset', () => ended() === 'ECONNRESET' && ends.includes('reset'));
    const next = await dial();
    next.socket.write('b');
    await becomes('an answer', () => next.heard() === '<b>');
  });

  test('after so many bytes of the requests: the server has got exactly those', async () => {
    const { socket, ended } = await dial();
    const done = proxy.resetAfter('requests', 7);
    socket.write('12345');
    await becomes('the first part', () => got === '12345');
    socket.write('67890');
    await done;
    await becomes('the reset', () => ended() === 'ECONNRESET' && ends.includes('reset'));
    expect(got).toBe('1234567');
  });

  test('after so many bytes of the answers: the server has done what was asked', async () => {
    const [victim, other] = [await dial(), await dial()];
    const done = proxy.resetAfter('answers', 0);
    victim.socket.write('a');
    await done;
    await becomes('the reset', () => victim.ended() === 'ECONNRESET');
    expect([got, victim.heard()]).toEqual(['a', '']);
    other.socket.write('b');
    await becomes('an answer', () => other.heard() === '<b>');
  });
});

test('a refused connection finds nobody listening, while an open one goes on; mended, it is served', async () => {
  const before = await dial();
  await becomes('the connection', () => open.length === 2);
  proxy.refuse();
  expect((await dial()).ended()).toBe('ECONNREFUSED');
  before.socket.write('a');
  await becomes('an answer', () => before.heard() === '<a>');
  await proxy.mend();
  const after = await dial();
  after.socket.write('b');
  await becomes('an answer', () => after.heard() === '<b>');
});

test('a held connection is taken and never answered', async () => {
  await proxy.hold();
  const { socket, heard, ended } = await dial();
  socket.write('a');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([heard(), ended(), got]).toEqual(['', undefined, '']);
  await proxy.mend();
  await becomes('the reset', () => ended() === 'ECONNRESET');
});

test('a cut ends connections in good order', async () => {
  const { ended } = await dial();
  await becomes('the connection', () => open.length === 2);
  proxy.cut();
  await becomes('the end', () => ended() === 'end' && ends.includes('end'));
});

test('a server that is not there is told to the client as a broken connection', async () => {
  const nobody = await FaultProxy.to('127.0.0.1:1');
  await proxy.close();
  proxy = nobody;
  const { ended } = await dial();
  await becomes('the reset', () => ended() === 'ECONNRESET');
});

test('a way to several servers has a proxy for each, in their order', async () => {
  const target = `127.0.0.1:${portOf(server)}`;
  const way = await FaultWay.to(`${target},${target}`);
  expect(way.servers).toBe(way.proxies.map(({ address }) => address).join(','));
  expect(new Set(way.servers.split(',')).size).toBe(2);
  await way.close();
});
