import { Misunderstood } from './answers.js';

/**
 * Bodies of Consul's HTTP API. Flags have 64 bits, which JavaScript's numbers have not: here those with many digits are text. A quote
 * inside of a JSON string has a backslash before it, so that none of the patterns can match inside of a key.
 */

export function encodeBody(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('"Flags":"') ? text.replace(/"Flags":"(\d+)"/g, '"Flags":$1') : text;
}

export function decodeBody(body: Buffer): unknown {
  const text = body.toString().replace(/"Flags":(\d{16,})/g, '"Flags":"$1"');
  try {
    return JSON.parse(text);
  } catch {
    throw new Misunderstood('no JSON');
  }
}
