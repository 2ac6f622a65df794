import type { Json } from '../document/json.js';
import type { Operation } from '../document/model.js';
import { isWaitName } from '../document/names.js';

/** A credential that requests are sent with. */
export interface Credential {
  token: string;
  /** Credentials by the name of their security scheme; every other scheme uses `token`. */
  perScheme: Readonly<Record<string, string>>;
}

/** A request before it is encoded. Absent parameters are not sent. */
export interface Draft {
  operation: Operation;
  path: Record<string, Json>;
  query: Record<string, Json>;
  header: Record<string, Json>;
  cookie: Record<string, Json>;
  /** The body's value; undefined for no body. */
  body?: Json | undefined;
  /** The body's bytes, sent instead of `body`. */
  rawBody?: Uint8Array | undefined;
  /** The body's media type; undefined for the operation's own, null for no Content-Type header. */
  contentType?: string | null | undefined;
  /** Text that is appended to the query unchanged. */
  rawQuery?: string | undefined;
  /** The path, sent unchanged instead of one made from the template. */
  rawPath?: string | undefined;
  /** A method that is sent instead of the operation's. */
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  /** The credential and the security schemes that it is sent by; null for none. */
  credential: { with: Credential; schemes: string[] } | null;
}

export function emptyDraft(operation: Operation): Draft {
  return { operation, path: {}, query: {}, header: {}, cookie: {}, credential: null };
}

/** Whether a request asks the server to delay or to continue its answer, as a long poll does. */
export function asksToWait({ query }: Draft): boolean {
  const isSet = (value: Json) => ![0, false, null, '', '0', 'false'].includes(value as string);
  return Object.entries(query).some(([name, value]) => isWaitName(name) && isSet(value));
}
