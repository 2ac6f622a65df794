import type { AccessToken, TokenOwner, VerificationCode } from '../../generated/types.gen.js';
import type { AuthMethod } from './request.js';

/** Why a request is rejected. The client cannot tell the reasons apart, except `insufficient_scope` and `cross_site_request`. */
export type RefusalReason = 'missing' | 'several' | 'cross_site_request' | Exclude<VerificationCode, 'valid'>;

/** A rejected request, for logging. It contains no plaintext. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly reason: RefusalReason;
  /** How the credential was sent; null if there was none, or several different ones. */
  readonly authMethod: AuthMethod | null;
  /** The token, if the request had its secret, such as for an expired token; null otherwise. */
  readonly token: AccessToken | null;
  readonly owner: TokenOwner | null;
  /** Scopes that the route requires. */
  readonly scopes: readonly string[];
}

/** What the body of a rejection tells the client. */
export interface RefusalBody {
  readonly status: 401 | 403 | 503;
  readonly code: 'unauthorized' | 'insufficient_scope' | 'cross_site_request' | 'service_unavailable';
  /** A sentence for people. */
  readonly detail: string;
}

/** Formats the body of a rejection. */
export type FormatRefusal = (refusal: RefusalBody) => { contentType: string; body: string };

/** The answer to a rejected request, in a form that every framework can send. */
export interface RefusalAnswer {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const KINDS: Record<RefusalBody['code'], Pick<RefusalBody, 'status' | 'detail'>> = {
  unauthorized: { status: 401, detail: 'Authentication is required: send a valid token.' },
  insufficient_scope: { status: 403, detail: 'The token does not have all the scopes that this takes.' },
  cross_site_request: {
    status: 403,
    detail: 'A request with the cookie must come from a page of this origin. Send the token in a header instead.',
  },
  service_unavailable: { status: 503, detail: 'The token cannot be verified at the moment; try again.' },
};

/** Creates the functions that build 401, 403 and 503. Throws a `TypeError` for a realm that no header can contain. */
export function createAnswers(realm: string | undefined, format: FormatRefusal = toJson) {
  if (realm !== undefined && !/^[\x20-\x7e]*$/.test(realm)) {
    throw new TypeError('realm must be visible ASCII characters and spaces');
  }
  const realmParameter = realm === undefined ? [] : [`realm="${realm.replace(/["\\]/g, '\\$&')}"`];

  function challenge(...parameters: string[]): Record<string, string> {
    return { 'WWW-Authenticate': `Bearer ${[...realmParameter, ...parameters].join(', ')}`.trim() };
  }

  function answer(code: RefusalBody['code'], headers: Record<string, string> = {}): RefusalAnswer {
    const { status, detail } = KINDS[code];
    const { contentType, body } = format({ status, code, detail });
    return { status, headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store', ...headers }, body };
  }

  return {
    refuse(reason: RefusalReason, scopes: readonly string[]): RefusalAnswer {
      switch (reason) {
        case 'cross_site_request':
          return answer(reason);
        case 'insufficient_scope':
          return answer(reason, challenge(`error="${reason}"`, `scope="${scopes.join(' ')}"`));
        case 'missing':
          // RFC 6750, section 3.1: no error code if the request had no credential.
          return answer('unauthorized', challenge());
        default:
          return answer('unauthorized', challenge('error="invalid_token"'));
      }
    },

    unavailable: (retryAfterSeconds: number): RefusalAnswer =>
      answer('service_unavailable', { 'Retry-After': String(retryAfterSeconds) }),
  };
}

function toJson({ detail, code }: RefusalBody): { contentType: string; body: string } {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify({ detail, code }) };
}
