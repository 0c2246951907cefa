/**
 * Bodies of Consul's HTTP API. Flags have 64 bits, which JavaScript's numbers have not: here those with many digits are text. A quote
 * inside of a JSON string has a backslash before it, so that none of the patterns can match inside of a key.
 */

export function encodeBody(value: unknown): Buffer {
  const text = JSON.stringify(value);
  return Buffer.from(text.includes('"Flags":"') ? text.replace(/"Flags":"(\d+)"/g, '"Flags":$1') : text);
}

export function decodeBody(body: Buffer): unknown {
  return JSON.parse(body.toString().replace(/"Flags":(\d{16,})/g, '"Flags":"$1"'));
}
