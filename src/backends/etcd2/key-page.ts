import protobuf from 'protobufjs';

/** An answer to a range request for keys alone. */
export interface KeyPage {
  readonly keys: readonly ListedKey[];
  /** Whether there are keys beyond the page. */
  readonly more: boolean;
  /** Keys of the whole range. */
  readonly count: number;
  /** Of the store, when it answered. */
  readonly revision: string;
}

export interface ListedKey {
  readonly key: Buffer;
  /** It belongs to a lease, and goes away with it. */
  readonly leased: boolean;
}

/** Tags of etcd's RangeResponse, ResponseHeader and KeyValue: the number of the field, and how it is written. */
const HEADER = 0x0a;
const KVS = 0x12;
const MORE = 0x18;
const COUNT = 0x20;
const HEADER_REVISION = 0x18;
const KEY = 0x0a;
const LEASE = 0x30;
const WIRE_TYPE = 7;

/**
 * Reads a RangeResponse for its keys. What etcd3 makes of an answer has all fields of each key, numbers as text, and takes ten times as
 * long: most of the time of a large listing.
 */
export function readKeyPage(answer: Buffer): KeyPage {
  const reader = protobuf.Reader.create(answer);
  const keys: ListedKey[] = [];
  const page = { keys, more: false, count: 0, revision: '0' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === KVS) keys.push(readKey(reader, answer));
    else if (tag === HEADER) page.revision = readRevision(reader);
    else if (tag === MORE) page.more = reader.bool();
    else if (tag === COUNT) page.count = Number(reader.int64());
    else reader.skipType(tag & WIRE_TYPE);
  }
  return page;
}

function readKey(reader: protobuf.Reader, answer: Buffer): ListedKey {
  const end = reader.uint32() + reader.pos;
  let key: Buffer = NO_KEY;
  let leased = false;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === KEY) {
      const length = reader.uint32();
      key = answer.subarray(reader.pos, reader.pos + length);
      reader.skip(length);
    } else if (tag === LEASE) leased = Number(reader.int64()) !== 0;
    else reader.skipType(tag & WIRE_TYPE);
  }
  return { key, leased };
}

const NO_KEY: Buffer = Buffer.alloc(0);

function readRevision(reader: protobuf.Reader): string {
  const end = reader.uint32() + reader.pos;
  let revision = '0';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === HEADER_REVISION) revision = String(reader.int64());
    else reader.skipType(tag & WIRE_TYPE);
  }
  return revision;
}
