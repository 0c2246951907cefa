import type { ServerAddress } from './address.js';
import { connectionLoss, connectProblem } from './errors.js';
import { openSocket, type Security } from './tls.js';

/** Of `mntr` and of whatever else is asked for. */
const LONGEST_ANSWER = 1024 * 1024;

/**
 * Asks one server with a four-letter command (`srvr`, `mntr` …), outside of any session; the whole answer, which may be that
 * the command is not allowed. Rejects with ConnectionLoss.
 */
export function fourLetterWord(
  { host, port, text }: ServerAddress,
  word: string,
  security: Security | undefined,
  limitMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host, port, timeout: limitMs }, security, () => socket.write(word));
    let answer = '';
    const fail = (why: string) => {
      socket.destroy();
      reject(connectionLoss(`${text}: ${why}`));
    };
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      if (answer.length > LONGEST_ANSWER) fail('an answer that is not ZooKeeper’s');
    });
    socket.once('timeout', () => fail(`no answer within ${limitMs} ms`));
    socket.once('error', (error) => fail(connectProblem(error)));
    socket.once('close', () => resolve(answer));
  });
}
