import type { AccessToken, TokenOwner, VerificationCode } from '../../generated/types.gen.js';
import type { AuthMethod } from './request.js';

/** Why a request is refused. But for `insufficient_scope` and `cross_site_request` they all look alike outside. */
export type RefusalReason = 'missing' | 'several' | 'cross_site_request' | Exclude<VerificationCode, 'valid'>;

/** What the log may know of a refused request. It holds no plaintext. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly reason: RefusalReason;
  /** Where the credential stood; null where there was none, or several that disagree. */
  readonly authMethod: AuthMethod | null;
  /** The token where its secret is proven, such as one that has expired; else null. */
  readonly token: AccessToken | null;
  readonly owner: TokenOwner | null;
  /** The scopes that the route takes. */
  readonly scopes: readonly string[];
}

/** What the client is told. */
export interface RefusalBody {
  readonly status: 401 | 403 | 503;
  readonly code: 'unauthorized' | 'insufficient_scope' | 'cross_site_request' | 'service_unavailable';
  /** A sentence for people. */
  readonly detail: string;
}

/** A body in a form of your own. */
export type FormatRefusal = (refusal: RefusalBody) => { contentType: string; body: string };

/** The answer to a request that does not pass, for whatever framework to send. */
export interface RefusalAnswer {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const KINDS: Record<RefusalBody['code'], Pick<RefusalBody, 'status' | 'detail'>> = {
  unauthorized: { status: 401, detail: 'Authentication is required: send a valid token.' },
  insufficient_scope: { status: 403, detail: 'The token does not have all the scopes that this takes.' },
  cross_site_request: { status: 403, detail: 'A request by cookie must come from this origin.' },
  service_unavailable: { status: 503, detail: 'The token cannot be verified at the moment; try again.' },
};

/** Makes the answers. Throws a `TypeError` for a realm that no header takes. */
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
          // RFC 6750, section 3.1: no error where there was nothing to judge.
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
