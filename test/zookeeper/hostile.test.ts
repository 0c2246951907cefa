import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type WatchSignal, ZkCode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  answerHeader,
  DATA,
  framedBytes,
  type HostileServer,
  handshakeAnswer,
  hostileServer,
  Opcode,
  type Script,
} from './hostile-server.js';
import { failure } from './support.js';

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
  const client = await connectOwnClient({
    servers: [server.address],
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 5_000,
    ...settings,
  });
  open.push(client);
  return client;
}

/** A server that answers the first getData of its first connection as told, and everything else honestly. */
function misbehaveOnce(bytes: (xid: number) => Buffer, end = false): Script {
  return {
    request: (connection, request) => {
      if (connection.number > 1 || request.opcode !== Opcode.getData) return true;
      connection.socket.write(bytes(request.xid));
      if (end) connection.socket.end();
      return false;
    },
  };
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('a connection that follows a lost one', () => {
  it('tells the newest zxid that was seen, so that a server which is behind it refuses', async () => {
    const told: bigint[] = [];
    const server = await serve({
      connect: ({ socket }, handshake) => {
        // After the version of the protocol.
        told.push(handshake.readBigInt64BE(4));
        socket.write(handshakeAnswer(6_000));
      },
      request: ({ socket, number }, { opcode, xid }) => {
        if (opcode !== Opcode.getData) return true;
        socket.write(framedBytes(answerHeader(xid, 0, BigInt(100 + number)), DATA));
        socket.end();
        return false;
      },
    });
    const client = await connectTo(server);
    // One that meets the end of a connection fails.
    while (told.length < 3) await client.getData('/a').catch(() => {});
    expect(told.slice(0, 3)).toEqual([0n, 101n, 102n]);
  });
});

describe('an answer that is', () => {
  it.each<[string, (xid: number) => Buffer]>([
    ['of negative length', () => hex('ffffff00')],
    ['of absurd length', () => hex('7fffffff00')],
    ['for another request', (xid) => framedBytes(answerHeader(xid + 1), DATA)],
    ['for no request (xid -8)', () => framedBytes(answerHeader(-8), DATA)],
    ['empty', () => hex('00000000')],
    ['shorter than its header', () => framedBytes(hex('00000002000000'))],
    ['without its body', (xid) => framedBytes(answerHeader(xid))],
    ['cut in its Stat', (xid) => framedBytes(answerHeader(xid), DATA.subarray(0, 40))],
    ['of data with a negative length', (xid) => framedBytes(answerHeader(xid), hex('fffffff0'), DATA)],
    ['of data with an absurd length', (xid) => framedBytes(answerHeader(xid), hex('7ffffff0'), DATA)],
    [
      'preceded by a notification cut in its path',
      () => framedBytes(answerHeader(-1), hex('0000000100000003000000ff')),
    ],
    ['garbage', () => Buffer.alloc(5000, 0xa5)],
  ])(
    '%s fails the call as MarshallingError, ends the connection, and the next call works',
    async (_, bytes) => {
      const server = await serve(misbehaveOnce(bytes));
      const client = await connectTo(server);
      const error = await failure(client.getData('/a'));
      expect(error).toMatchObject({ code: ZkCode.MarshallingError, sent: true, path: '/a' });
      expect((await client.getData('/a')).data?.toString()).toBe('v');
      expect(server.connections).toBe(2);
    },
  );

  it('a listing of two thousand million names is refused without making room for it', async () => {
    const server = await serve({
      request: (connection, request) => {
        connection.answer(request, 0, request.opcode === 12 ? hex('7ffffff0') : hex('ffffffff01ffffffff'));
        return false;
      },
    });
    const client = await connectTo(server);
    const before = process.memoryUsage.rss();
    expect((await failure(client.getChildren('/a'))).code).toBe(ZkCode.MarshallingError);
    expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
  });

  it('promised to be 200 MB takes no such memory while it does not come', async () => {
    const server = await serve(misbehaveOnce(() => hex('0bebc200000000000000')));
    const client = await connectTo(server);
    const before = process.memoryUsage();
    const error = await failure(client.getData('/a', { timeoutMs: 200 }));
    expect(error).toMatchObject({ code: ZkCode.OperationTimeout, sent: true });
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(5_000_000);
  });

  it('longer than maxAnswerBytes is a MarshallingError', async () => {
    const server = await serve(misbehaveOnce((xid) => framedBytes(answerHeader(xid), Buffer.alloc(2_000))));
    const client = await connectTo(server, { maxAnswerBytes: 1_000 });
    expect((await failure(client.getData('/a'))).code).toBe(ZkCode.MarshallingError);
  });

  it('cut by the end of the connection is a ConnectionLoss for every call in flight', async () => {
    const server = await serve(
      misbehaveOnce((xid) => framedBytes(answerHeader(xid), DATA).subarray(0, 30), true),
    );
    const client = await connectTo(server);
    const calls = [client.getData('/a'), client.exists('/b'), client.exists('/c')];
    for (const error of await Promise.all(calls.slice(0, 1).map(failure))) {
      expect(error).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
    }
    await Promise.allSettled(calls);
    expect((await client.getData('/a')).data?.toString()).toBe('v');
  });

  it('sent byte by byte is read like any other', async () => {
    const server = await serve({
      request: (connection, request) => {
        if (request.opcode !== Opcode.getData) return true;
        for (const byte of framedBytes(answerHeader(request.xid), DATA))
          connection.socket.write(Buffer.of(byte));
        return false;
      },
    });
    const client = await connectTo(server);
    const answers = await Promise.all([client.getData('/a'), client.getData('/b'), client.getData('/c')]);
    expect(answers.map(({ data }) => data?.toString())).toEqual(['v', 'v', 'v']);
  });

  it('any bytes at all leaves no call without an end, and the client works afterwards', async () => {
    let garbage = Buffer.alloc(0);
    let misbehave = false;
    const server = await serve({
      request: (connection, request) => {
        if (!misbehave || request.opcode !== Opcode.getData) return true;
        misbehave = false;
        connection.socket.end(garbage);
        return false;
      },
    });
    const client = await connectTo(server);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.constantFrom('', '00000000', '00000050', '0000001000000002'),
        async (bytes, head) => {
          garbage = Buffer.concat([hex(head), bytes]);
          misbehave = true;
          const outcomes = await Promise.allSettled([client.getData('/a'), client.getData('/b')]);
          expect(outcomes[0]?.status).toBe('rejected');
          expect((await client.getData('/c')).data?.toString()).toBe('v');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a stranger in place of a server', () => {
  const stranger = (bytes: Buffer): Script => ({ connect: ({ socket }) => void socket.write(bytes) });

  it.each<[string, Script, RegExp]>([
    ['answers in TLS', stranger(hex('15030300020246')), /TLS/],
    ['answers in HTTP', stranger(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), /no ZooKeeper/],
    ['answers zeros', stranger(Buffer.alloc(64)), /malformed/],
    [
      'answers with another protocol version',
      stranger(framedBytes(hex('00000009'), Buffer.alloc(40))),
      /no ZooKeeper/,
    ],
  ])('that %s is named at once', async (_, script, message) => {
    const server = await serve(script);
    const start = performance.now();
    const error = await failure(connectTo(server));
    expect(error.code).toBe(ZkCode.ConnectionLoss);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(server.address);
    expect(performance.now() - start).toBeLessThan(1_500);
  });

  it('that closes without a word is tried again until the time is up, then named', async () => {
    const server = await serve({ connect: ({ socket }) => void socket.end() });
    const error = await failure(connectTo(server, { connectTimeoutMs: 300 }));
    expect(error.message).toMatch(/closed it without an answer/);
    expect(server.connections).toBeGreaterThan(1);
  });

  it('that never answers is given up after connectTimeoutMs', async () => {
    const server = await serve({ connect: () => {} });
    const error = await failure(connectTo(server, { connectTimeoutMs: 300 }));
    expect(error.code).toBe(ZkCode.ConnectionLoss);
    expect(error.message).toMatch(/no answer within/);
  });

  it('does not stand in the way of a real server beside it', async () => {
    const frozen = await serve({ connect: () => {} });
    const garbage = await serve(stranger(Buffer.from('SSH-2.0-OpenSSH\r\n')));
    const real = await serve({ request: () => true });
    const client = await connectTo(real, {
      servers: [garbage.address, frozen.address, real.address],
      connectTimeoutMs: 1_500,
      random: () => 0,
    });
    expect((await client.getData('/a')).data?.toString()).toBe('v');
  });
});

describe('an address', () => {
  it('where nobody listens is named at once', async () => {
    const server = await serve({});
    await server.close();
    const start = performance.now();
    const error = await failure(connectOwnClient({ servers: [server.address] }));
    expect(error.code).toBe(ZkCode.ConnectionLoss);
    expect(error.message).toContain(`${server.address}: nobody listens there`);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('whose name does not resolve is named', async () => {
    const error = await failure(
      connectOwnClient({ servers: ['no-such-host.invalid:2181'], connectTimeoutMs: 5_000 }),
    );
    expect(error.code).toBe(ZkCode.ConnectionLoss);
    expect(error.message).toContain('no-such-host.invalid:2181');
  });

  it.each(['', 'host:0', 'host:70000', 'a b:1', 'h:1/chroot', 'h:1,i:2'])(
    '%j is a BadArguments',
    async (text) => {
      expect((await failure(connectOwnClient({ servers: [text] }))).code).toBe(ZkCode.BadArguments);
    },
  );

  it('must be given', async () => {
    expect((await failure(connectOwnClient({ servers: [] }))).code).toBe(ZkCode.BadArguments);
  });

  it('by a name with several addresses finds the one that listens', async () => {
    const server = await serve({ request: () => true });
    const client = await connectTo(server, { servers: [server.address.replace('127.0.0.1', 'localhost')] });
    expect((await client.exists('/a')).stat).toBeDefined();
  });
});

describe('credentials that the server refuses', () => {
  const refusing = (from: number): Script => ({
    request: (connection, request) => {
      if (request.opcode !== Opcode.auth) return true;
      if (connection.number < from) return true;
      connection.socket.end(framedBytes(answerHeader(-4, ZkCode.AuthFailed)));
      return false;
    },
  });
  const auth = [{ scheme: 'digest', auth: 'user:secret-word' }];

  it('fail the connect with AuthFailed, and are not shown', async () => {
    const error = await failure(connectTo(await serve(refusing(1)), { auth }));
    expect(error.code).toBe(ZkCode.AuthFailed);
    expect(JSON.stringify([error.message, error])).not.toContain('secret-word');
  });

  it('later, on a reconnect, end the client', async () => {
    const server = await serve(misbehaveThenRefuse());
    const client = await connectTo(server, { auth });
    await failure(client.getData('/a'));
    expect((await failure(client.getData('/a'))).code).toBe(ZkCode.AuthFailed);
    expect((await failure(client.getData('/a'))).code).toBe(ZkCode.AuthFailed);
    expect(client.expired.aborted).toBe(false);
  });

  it('later, on a reconnect, give up a session that is not renewed', async () => {
    const server = await serve(misbehaveThenRefuse());
    const client = await connectTo(server, { auth, renewSession: false });
    await failure(client.getData('/a'));
    expect((await failure(client.getData('/a'))).code).toBe(ZkCode.AuthFailed);
    expect(client.expired.reason).toMatchObject({ code: ZkCode.AuthFailed });
  });

  function misbehaveThenRefuse(): Script {
    const refuse = refusing(2);
    return {
      request: (connection, request) => {
        if (request.opcode === Opcode.getData) {
          connection.socket.destroy();
          return false;
        }
        return refuse.request?.(connection, request);
      },
    };
  }
});

describe('a session that has expired', () => {
  it('is replaced by a new one; watchers are told `lost`', async () => {
    const sessions = [0x11n, undefined, 0x22n];
    const server = await serve({
      connect: ({ socket, number }) => {
        const id = sessions[number - 1];
        socket.write(id === undefined ? handshakeAnswer(0) : handshakeAnswer(6_000, id));
      },
      request: (connection, request) => {
        if (request.opcode !== Opcode.setData || connection.number > 1) return true;
        connection.socket.destroy();
        return false;
      },
    });
    const client = await connectTo(server);
    expect(client.sessionId).toBe(0x11n);
    const signals: WatchSignal[] = [];
    await client.getData('/a', { watcher: (signal) => signals.push(signal) });
    expect(await failure(client.setData('/a', null, -1))).toMatchObject({
      code: ZkCode.ConnectionLoss,
      sent: true,
    });
    await client.exists('/a');
    expect(client.sessionId).toBe(0x22n);
    expect(signals).toEqual(['lost']);
    expect(server.connections).toBe(3);
  });

  it('told in an answer fails that call, and is replaced', async () => {
    const server = await serve({
      connect: ({ socket, number }) =>
        void socket.write(handshakeAnswer(number === 2 ? 0 : 6_000, BigInt(number))),
      request: (connection, request) => {
        if (request.opcode !== Opcode.getData || connection.number > 1) return true;
        connection.answer(request, ZkCode.SessionExpired);
        return false;
      },
    });
    const client = await connectTo(server);
    expect(await failure(client.getData('/a'))).toMatchObject({ code: ZkCode.SessionExpired, sent: false });
    await client.getData('/a');
    expect(client.sessionId).toBe(3n);
  });
});
