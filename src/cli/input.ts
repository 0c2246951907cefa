import { createInterface } from 'node:readline/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { usage } from './flags.js';

/** More than any store takes in one record. */
const MAX_BYTES = 64 * 2 ** 20;

/** Everything that a stream gives. Usage for a terminal, TooLarge for more than any store takes, Interrupted. */
export async function readAll(
  stream: Readable & { readonly isTTY?: boolean },
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (stream.isTTY === true)
    throw usage(
      'the record is read from standard input, which is a terminal',
      'pipe it in, or give --file FILE',
    );
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      chunks.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes > MAX_BYTES)
        throw new TopologyError(ErrorCode.TooLarge, 'the input is larger than any store takes');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new TopologyError(ErrorCode.Interrupted, 'interrupted while reading the input', { cause: error });
  }
  return Buffer.concat(chunks);
}

/** One line from the terminal. Interrupted, by the signal, Ctrl-C or the end of the input. */
export async function askPerson(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  lines.once('close', () => ended.abort());
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await lines.question(question, { signal: AbortSignal.any([signal, ended.signal]) });
  } catch (error) {
    throw new TopologyError(ErrorCode.Interrupted, 'interrupted while waiting for an answer', {
      cause: error,
    });
  } finally {
    lines.close();
  }
}
