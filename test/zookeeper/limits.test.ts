import { afterEach, describe, expect, it } from 'vitest';
import { ZkCode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  type ArrivedRequest,
  DATA,
  type HostileConnection,
  type HostileServer,
  handshakeAnswer,
  hostileServer,
  Opcode,
  type Script,
} from './hostile-server.js';
import { eventually, failure } from './support.js';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function serve(script: Script): Promise<HostileServer> {
  const server = await hostileServer(script);
  open.push(server);
  return server;
}

async function connectTo(
  server: HostileServer,
  settings: Partial<Parameters<typeof connectOwnClient>[0]> = {},
): Promise<ZooKeeperClient> {
  const client = await connectOwnClient({ servers: [server.address], connectTimeoutMs: 2_000, ...settings });
  open.push(client);
  return client;
}

/** Holds every request back until told to answer. */
class Held {
  readonly held: { connection: HostileConnection; request: ArrivedRequest }[] = [];
  readonly script: Script = {
    request: (connection, request) => {
      if (![Opcode.exists, Opcode.getData, Opcode.setData].includes(request.opcode)) return true;
      this.held.push({ connection, request });
      return false;
    },
  };

  release(): void {
    for (const { connection, request } of this.held.splice(0)) connection.answer(request, 0, DATA);
  }
}

/** A server that can be unreachable for a while: it destroys connections instead of greeting them. */
class Gate {
  shut = false;
  readonly #sockets: HostileConnection[] = [];
  readonly script: Script = {
    connect: (connection) => {
      this.#sockets.push(connection);
      if (this.shut) connection.socket.destroy();
      else connection.socket.write(handshakeAnswer(6_000));
    },
    request: () => true,
  };

  close(): void {
    this.shut = true;
    for (const { socket } of this.#sockets.splice(0)) socket.destroy();
  }
}

describe('a deadline', () => {
  it('ends a call that was sent; its late answer is dropped and the next answers fit their requests', async () => {
    const held = new Held();
    const client = await connectTo(await serve(held.script));
    const error = await failure(client.getData('/a', { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: ZkCode.OperationTimeout, sent: true, path: '/a' });
    const next = client.getData('/b');
    const exists = client.exists('/c');
    await eventually(() => held.held.length === 3);
    held.release();
    expect((await next).data?.toString()).toBe('v');
    expect((await exists).stat).toBeDefined();
  });

  it('is met within some ms, in any order, for many calls', async () => {
    const client = await connectTo(await serve(new Held().script));
    const timeouts = [240, 60, 180, 120, 300];
    const ends = await Promise.all(
      timeouts.map(async (timeoutMs) => {
        const start = performance.now();
        await failure(client.getData('/a', { timeoutMs }));
        return performance.now() - start - timeoutMs;
      }),
    );
    for (const late of ends) {
      expect(late).toBeGreaterThanOrEqual(-1);
      expect(late).toBeLessThan(250);
    }
  });

  it('of a call made while disconnected ends it as ConnectionLoss, unsent, and it never is sent', async () => {
    const gate = new Gate();
    const server = await serve(gate.script);
    const client = await connectTo(server);
    gate.close();
    await eventually(async () => (await failure(client.exists('/wait', { timeoutMs: 20 }))).sent === false);
    const error = await failure(client.setData('/a', null, -1, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: ZkCode.ConnectionLoss, sent: false });
    expect(error.message).toContain(server.address);
    gate.shut = false;
    await client.getData('/b');
    expect(server.requests.filter(({ opcode }) => opcode === Opcode.setData)).toEqual([]);
  });

  it('that has passed already sends nothing', async () => {
    const server = await serve({ request: () => true });
    const client = await connectTo(server);
    for (const timeoutMs of [0, -5, Number.NaN]) {
      const error = await failure(client.setData('/a', null, -1, { timeoutMs }));
      expect(error).toMatchObject({ code: ZkCode.OperationTimeout, sent: false });
    }
    await client.getData('/b');
    expect(server.requests).toHaveLength(1);
  });

  it('may be infinite', async () => {
    const client = await connectTo(await serve({ request: () => true }));
    expect((await client.getData('/a', { timeoutMs: Number.POSITIVE_INFINITY })).data?.toString()).toBe('v');
  });
});

describe('an abort', () => {
  it('before the call sends nothing', async () => {
    const server = await serve({ request: () => true });
    const client = await connectTo(server);
    const reason = new Error('enough');
    const error = await failure(client.setData('/a', null, -1, { signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: ZkCode.Aborted, sent: false, cause: reason });
    await client.getData('/b');
    expect(server.requests).toHaveLength(1);
  });

  it('in the same turn of the event loop sends nothing', async () => {
    const server = await serve({ request: () => true });
    const client = await connectTo(server);
    const controller = new AbortController();
    const call = client.setData('/a', null, -1, { signal: controller.signal });
    controller.abort();
    expect(await failure(call)).toMatchObject({ code: ZkCode.Aborted, sent: false });
    await client.getData('/b');
    expect(server.requests).toHaveLength(1);
  });

  it('after sending says so, and drops the late answer', async () => {
    const held = new Held();
    const client = await connectTo(await serve(held.script));
    const controller = new AbortController();
    const call = client.getData('/a', { signal: controller.signal });
    await eventually(() => held.held.length === 1);
    controller.abort();
    expect(await failure(call)).toMatchObject({ code: ZkCode.Aborted, sent: true });
    const next = client.getData('/b');
    await eventually(() => held.held.length === 2);
    held.release();
    expect((await next).data?.toString()).toBe('v');
  });

  it('ends all calls with that signal, thousands of them, and no other', async () => {
    const held = new Held();
    const client = await connectTo(await serve(held.script));
    const controller = new AbortController();
    const calls = Array.from({ length: 3_000 }, () => client.getData('/a', { signal: controller.signal }));
    const other = client.getData('/b');
    await eventually(() => held.held.length === 3_001);
    controller.abort();
    const codes = await Promise.all(calls.map(async (call) => (await failure(call)).code));
    expect(new Set(codes)).toEqual(new Set([ZkCode.Aborted]));
    held.release();
    expect((await other).data?.toString()).toBe('v');
  });
});

describe('a broken connection', () => {
  it('fails calls in flight with ConnectionLoss, sent; calls made after it wait for the next', async () => {
    const gate = new Gate();
    const server = await serve({
      ...gate.script,
      request: ({ number }, { opcode }) => number > 1 || opcode === Opcode.multiRead,
    });
    const client = await connectTo(server);
    const inFlight = [client.getData('/a'), client.setData('/b', null, -1)];
    await eventually(() => server.requests.length === 2);
    gate.close();
    for (const call of inFlight) {
      expect(await failure(call)).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
    }
    const waiting = client.getData('/c');
    gate.shut = false;
    expect((await waiting).data?.toString()).toBe('v');
  });

  it('is noticed by silence of two thirds of the session time-out', async () => {
    let deaf = false;
    const server = await serve({ timeoutMs: 1_500, request: () => !deaf });
    const client = await connectTo(server);
    deaf = true;
    const start = performance.now();
    const call = client.getData('/a');
    expect(await failure(call)).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
    expect(performance.now() - start).toBeGreaterThan(900);
    expect(performance.now() - start).toBeLessThan(1_500);
    deaf = false;
    expect((await client.getData('/a')).data?.toString()).toBe('v');
  });

  it('is noticed the same way without any call', async () => {
    let deaf = false;
    const server = await serve({ timeoutMs: 600, request: () => !deaf });
    await connectTo(server);
    deaf = true;
    await eventually(() => server.connections > 1, 2_000);
  });
});

describe('an idle connection', () => {
  it('is kept by a ping every third of the session time-out', async () => {
    const pings: number[] = [];
    const server = await serve({
      timeoutMs: 600,
      request: (_, { opcode }) => {
        if (opcode === Opcode.ping) pings.push(performance.now());
        return true;
      },
    });
    const client = await connectTo(server);
    await eventually(() => pings.length >= 4);
    for (let i = 1; i < pings.length; i++) {
      const pause = (pings[i] ?? 0) - (pings[i - 1] ?? 0);
      expect(pause).toBeGreaterThan(150);
      expect(pause).toBeLessThan(450);
    }
    expect(server.connections).toBe(1);
    await client.getData('/a');
  });

  it('survives a stall of the event loop as long as the silence limit', async () => {
    const server = await serve({ timeoutMs: 600, request: () => true });
    const client = await connectTo(server);
    const call = client.getData('/a', { timeoutMs: 100 });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const until = performance.now() + 500;
    while (performance.now() < until);
    expect((await call).data?.toString()).toBe('v');
  });
});

describe('requests', () => {
  it('of one turn of the event loop go out in one write, in order', async () => {
    const chunks: number[] = [];
    const server = await serve({ request: () => true, data: (chunk) => chunks.push(chunk.length) });
    const client = await connectTo(server);
    chunks.length = 0;
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.getData(`/${i}`)));
    expect(chunks.length).toBeLessThan(5);
    const xids = server.requests.map(({ xid }) => xid);
    expect(xids).toEqual([...xids].sort((a, b) => a - b));
  });

  it('beyond what the socket takes wait, and are not sent after their deadline', async () => {
    const server = await serve({
      request: (connection, { opcode }) => {
        if (opcode === Opcode.multiRead) setImmediate(() => connection.socket.pause());
        return true;
      },
    });
    const client = await connectTo(server);
    const data = Buffer.alloc(1_000_000);
    const calls = Array.from({ length: 40 }, () => client.setData('/a', data, -1, { timeoutMs: 300 }));
    const errors = await Promise.all(calls.map(failure));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set([ZkCode.OperationTimeout]));
    const sent = errors.filter((error) => error.sent).length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(30);
  });

  it('larger than maxRequestBytes are TooLarge and not sent', async () => {
    const server = await serve({ request: () => true });
    const client = await connectTo(server, { maxRequestBytes: 200 });
    const fits = 200 - 8 - 6 - 4 - 4;
    await client.setData('/a', Buffer.alloc(fits), -1);
    const errors = await Promise.all([
      failure(client.setData('/a', Buffer.alloc(fits + 1), -1)),
      failure(client.multi([{ type: 'setData', path: '/a', data: Buffer.alloc(200), version: -1 }])),
    ]);
    for (const error of errors) expect(error).toMatchObject({ code: ZkCode.TooLarge, sent: false });
    expect(server.requests).toHaveLength(1);
  });

  it.each(['', 'a', '/a/', '//', '/a//b', '/a\0', '/\ud800'])(
    'for the path %j are BadArguments',
    async (path) => {
      const server = await serve({ request: () => true });
      const client = await connectTo(server);
      const calls = [
        client.getData(path),
        client.create({ path, data: null, acl: [] }),
        client.multi([{ type: 'check', path, version: -1 }]),
        client.multiRead([{ type: 'getData', path }]),
      ];
      for (const error of await Promise.all(calls.map(failure))) {
        expect(error).toMatchObject({ code: ZkCode.BadArguments, sent: false });
      }
      expect(server.requests).toEqual([]);
    },
  );
});

describe('closing', () => {
  it('fails what is in flight and what waits, at once, with Closed; and every later call', async () => {
    const held = new Held();
    const client = await connectTo(await serve(held.script));
    const sent = client.getData('/a');
    await eventually(() => held.held.length === 1);
    const unsent = client.getData('/b');
    const closed = client.close();
    expect(await failure(sent)).toMatchObject({ code: ZkCode.Closed, sent: true });
    expect(await failure(unsent)).toMatchObject({ code: ZkCode.Closed, sent: false });
    expect(await failure(client.getData('/c'))).toMatchObject({ code: ZkCode.Closed, sent: false });
    await closed;
    await client.close();
  });

  it('takes no longer than two seconds when the server is frozen', async () => {
    const client = await connectTo(await serve({ request: (_, { opcode }) => opcode === Opcode.multiRead }));
    const start = performance.now();
    await client.close();
    expect(performance.now() - start).toBeLessThan(2_500);
  });

  it('while disconnected ends at once', async () => {
    const gate = new Gate();
    const client = await connectTo(await serve(gate.script));
    gate.close();
    await failure(client.getData('/a', { timeoutMs: 50 }));
    const start = performance.now();
    await client.close();
    expect(performance.now() - start).toBeLessThan(100);
  });

  it('leaves no socket and no timer', async () => {
    const count = (): number =>
      process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|GetAddr/.test(name)).length;
    const gate = new Gate();
    const server = await serve(gate.script);
    let before = count();
    // What tests before this one have closed may still be there.
    await eventually(() => {
      const last = before;
      before = count();
      return before === last;
    });
    const client = await connectTo(server);
    await Promise.all(Array.from({ length: 50 }, () => client.getData('/a')));
    expect(count()).toBeGreaterThan(before);
    await client.close();
    await eventually(() => count() <= before);

    const lost = await connectTo(server);
    gate.close();
    await failure(lost.getData('/a', { timeoutMs: 50 }));
    await lost.close();
    await eventually(() => count() <= before);
  });
});
