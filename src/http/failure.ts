import { type DialFailure, dialFailures } from '../topo/dial-failures.js';
import { ErrorCode } from '../topo/errors.js';
import type { Meaning } from '../topo/member-failures.js';

/** How a call to one server failed. */
export interface HttpFailureDetails {
  /** `host:port` of the server. */
  readonly endpoint: string;
  /** False when it is certain that no byte of the request left for the server. */
  readonly sent: boolean;
  /** HTTP status; undefined when no whole answer came. */
  readonly status?: number | undefined;
  /** The server's words, or Node's. */
  readonly text: string;
  /** Node's error code. */
  readonly code?: string | undefined;
  /** The time was up. */
  readonly late?: boolean;
  /** The answer is not one of the product. */
  readonly foreign?: boolean;
  /** It is a refusal of what was taken before, and may be taken again a moment later. */
  readonly momentary?: boolean;
}

/** See {@link HttpFailureDetails}. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly endpoint: string;
  readonly sent: boolean;
  readonly status: number | undefined;
  readonly text: string;
  readonly code: string | undefined;
  readonly late: boolean;
  readonly foreign: boolean;
  readonly momentary: boolean;

  constructor(failure: HttpFailureDetails) {
    const answered = failure.status === undefined ? '' : `HTTP status ${failure.status}: `;
    super(`${failure.endpoint}: ${answered}${failure.text}`);
    this.endpoint = failure.endpoint;
    this.sent = failure.sent;
    this.status = failure.status;
    this.text = failure.text;
    this.code = failure.code;
    this.late = failure.late ?? false;
    this.foreign = failure.foreign ?? false;
    this.momentary = failure.momentary ?? false;
  }
}

/** What it means that no answer came, or that a server wants TLS; undefined: a server answered. */
export function cutShort(failure: HttpFailure): Meaning | undefined {
  const { status, text, endpoint, sent, late, code } = failure;
  if (!sent) return { ...dialFailure(failure), refused: true, passing: true };
  if (late) return { ...dialFailures.silent(endpoint), refused: false, passing: true };
  if (status === undefined) {
    // TLS 1.3 tells a client only after its first request that its certificate was not accepted.
    if (/ALERT|alert/.test(`${code} ${text}`))
      return { ...dialFailure(failure), refused: true, passing: false };
    const message = `${endpoint}: the connection broke: ${text}`;
    return { code: ErrorCode.Unavailable, message, refused: false, passing: true };
  }
  if (status === 400 && /HTTP request to an HTTPS server/.test(text))
    return { ...dialFailures.speaksTls(endpoint), refused: true, passing: false };
  return undefined;
}

/** Why no connection came about, by the codes of Node and OpenSSL. */
function dialFailure({ code = '', text, endpoint, late }: HttpFailure): DialFailure {
  if (late) return dialFailures.silent(endpoint);
  if (code === 'ECONNREFUSED') return dialFailures.refused(endpoint);
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) return dialFailures.unresolved(endpoint);
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(code)) return dialFailures.unreachable(endpoint);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return dialFailures.otherName(endpoint);
  if (/ALERT|alert/.test(`${code} ${text}`)) return dialFailures.clientRefused(endpoint);
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return dialFailures.unknownAuthority(endpoint);
  if (/WRONG_VERSION|PACKET_LENGTH|EPROTO|ERR_SSL/.test(code) || /before secure TLS/.test(text))
    return dialFailures.noTls(endpoint);
  return dialFailures.other(endpoint, text);
}
