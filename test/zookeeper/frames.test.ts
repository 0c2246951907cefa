import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSplitter } from '../../src/zookeeper/frames.js';

const LIMIT = 1000;

function frame(payload: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(payload.length);
  return Buffer.concat([head, payload]);
}

/** The frames found when `stream` arrives in pieces, each in the same buffer, as from a socket. */
function split(stream: Buffer, sizes: readonly number[]): string[] {
  const found: string[] = [];
  const splitter = new FrameSplitter(LIMIT, (bytes, start, end) =>
    found.push(bytes.toString('hex', start, end)),
  );
  const shared = Buffer.alloc(Math.max(1, ...sizes));
  let at = 0;
  for (let i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    const copied = stream.copy(shared, 0, at, at + size);
    splitter.push(shared.subarray(0, copied));
    shared.fill(0xff);
    at += copied;
  }
  return found;
}

describe('a stream of frames', () => {
  it('is cut at the right places, however it arrives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        (payloads, sizes) => {
          const stream = Buffer.concat(payloads.map(frame));
          expect(split(stream, sizes)).toEqual(payloads.map((each) => Buffer.from(each).toString('hex')));
        },
      ),
    );
  });

  it.each([
    ['negative', -1],
    ['over the limit', LIMIT + 1],
    ['absurd', 0x7fff_ffff],
  ])('with a length that is %s is a MarshallingError as soon as the length is there', (_, length) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(length);
    expect(() => split(head, [4])).toThrow('malformed');
    expect(() => split(head, [1])).toThrow('malformed');
  });

  it('takes a frame of exactly the limit', () => {
    expect(split(frame(Buffer.alloc(LIMIT)), [17])).toHaveLength(1);
  });

  it('takes no memory by what a length promises', () => {
    const splitter = new FrameSplitter(0x7fff_ffff, () => {});
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i++) {
      new FrameSplitter(0x7fff_ffff, () => {}).push(Buffer.from('7fffff0001020304', 'hex'));
    }
    splitter.push(Buffer.from('7fffff0001020304', 'hex'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});
