/**
 * Bodies of Consul's HTTP API. Flags have 64 bits, which JavaScript's numbers have not: here those with many digits are text. A quote
 * inside of a JSON string has a backslash before it, so that none of the patterns can match inside of a key.
 */

/** Bytes of a listing that are made one text: all of it might be longer than a text can be. */
const PIECE_BYTES = 4 << 20;
/** How a listing of keys with their values begins, and what stands between two of them. */
const BEGINNING = '[{"LockIndex":';
const BOUNDARY = '},{"LockIndex":';

export function encodeBody(value: unknown): Buffer {
  const text = JSON.stringify(value);
  return Buffer.from(text.includes('"Flags":"') ? text.replace(/"Flags":"(\d+)"/g, '"Flags":$1') : text);
}

/** @param pieceBytes about how much of a listing is read at a time */
export function decodeBody(body: Buffer, pieceBytes = PIECE_BYTES): unknown {
  if (body.length <= pieceBytes || !body.subarray(0, BEGINNING.length).equals(Buffer.from(BEGINNING)))
    return parse(body.toString());
  const items: unknown[] = [];
  // What comes before each piece: the bracket, or a comma.
  let before = 0;
  for (;;) {
    const end = body.indexOf(BOUNDARY, before + pieceBytes);
    const piece = body.toString('utf8', before + 1, end < 0 ? undefined : end + 1);
    const read: unknown = parse(end < 0 ? `[${piece}` : `[${piece}]`);
    if (!Array.isArray(read)) throw new SyntaxError('a listing is no list');
    for (const item of read) items.push(item);
    if (end < 0) return items;
    before = end + 1;
  }
}

function parse(text: string): unknown {
  return JSON.parse(text.replace(/"Flags":(\d{16,})/g, '"Flags":"$1"'));
}
