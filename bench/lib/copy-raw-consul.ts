import { Agent, request } from 'node:http';
import { type Side, tabletsRoot } from './copy-place.js';
import type { RawRecord, RawStore } from './copy-raw.js';

/** Characters of a tablet's uid that one reading has in common: up to 10,000 tablets. */
const DIGITS = 6;
const READS_IN_FLIGHT = 3;

interface Pair {
  readonly Key: string;
  readonly Value: string;
}

/** Plain HTTP, which is less than the `consul` package does. */
export async function rawConsul(side: Side): Promise<RawStore> {
  const agent = new Agent({ keepAlive: true });
  const [host, port] = side.server.split(':');
  const prefix = `${tabletsRoot(side).slice(1)}/`;
  const call = (method: 'GET' | 'PUT', path: string, body?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request({ host, port, method, path: `/v1/${path}`, agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (answer.statusCode === 200 || answer.statusCode === 404) resolve(text);
          else reject(new Error(`Consul answered ${answer.statusCode}: ${text.slice(0, 200)}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    async read(use) {
      const keys: string[] = JSON.parse(await call('GET', `kv/${prefix}?keys`));
      const heads = [
        ...new Set(keys.map((key) => key.slice(0, key.indexOf('-', prefix.length) + 1 + DIGITS))),
      ];
      const waiting = heads.values();
      const work = async () => {
        for (const head of waiting) {
          const pairs: Pair[] = JSON.parse(await call('GET', `kv/${head}?recurse&consistent`));
          await use(
            pairs.map(
              ({ Key, Value }): RawRecord => ({
                name: Key.slice(prefix.length, -'/Tablet'.length),
                bytes: Buffer.from(Value, 'base64'),
              }),
            ),
          );
        }
      };
      await Promise.all(Array.from({ length: READS_IN_FLIGHT }, work));
    },
    transaction: { records: 64, inFlight: 32 },
    prepare: async () => {},
    async write(records) {
      const operations = records.map(({ name, bytes }) => ({
        KV: { Verb: 'set', Key: `${prefix}${name}/Tablet`, Value: bytes.toString('base64') },
      }));
      await call('PUT', 'txn', JSON.stringify(operations));
    },
    close: async () => agent.destroy(),
  };
}
