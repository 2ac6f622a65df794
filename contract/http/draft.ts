import type { Json } from '../document/json.js';
import type { Operation } from '../document/model.js';

/** A secret that opens something, and the ways in which the operation at hand lets it be sent. */
export interface Credential {
  /** By security scheme; the token itself for a scheme that is not in it. */
  token: string;
  perScheme: Readonly<Record<string, string>>;
}

/** A request before it is put on the wire. Parameters that are absent are not sent. */
export interface Draft {
  operation: Operation;
  path: Record<string, Json>;
  query: Record<string, Json>;
  header: Record<string, Json>;
  cookie: Record<string, Json>;
  /** The body as JSON; undefined for none. */
  body?: Json | undefined;
  /** Bytes that are sent instead of `body`. */
  rawBody?: Uint8Array | undefined;
  /** The body's media type: the operation's own unless given, none at all where null. */
  contentType?: string | null | undefined;
  /** What is appended to the query as it stands. */
  rawQuery?: string | undefined;
  /** The path as it stands, instead of one made from the template. */
  rawPath?: string | undefined;
  /** The method, instead of the operation's. */
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  /** What is sent as credential, in which of the operation's ways; none where null. */
  credential: { with: Credential; schemes: string[] } | null;
}

export function emptyDraft(operation: Operation): Draft {
  return { operation, path: {}, query: {}, header: {}, cookie: {}, credential: null };
}
