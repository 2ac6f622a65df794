import { createLatchkey, type Latchkey } from '../../client/index.js';

/** A client of a local server for tests. */
export type TestClient = Latchkey;

/** Connection data of a local server, to pass to `createLatchkey`. */
export interface Connection {
  baseUrl: string;
  /** Resolves with the token to send, and is called for each request; undefined for no credential. */
  token: () => Promise<string | undefined>;
}

export function createTestClient(connection: Connection): TestClient {
  return createLatchkey(connection);
}
