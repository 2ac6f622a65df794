import { createLatchkey, type Latchkey } from '../../client/index.js';

/** A client of the local server. */
export type TestClient = Latchkey;

/** What a client of the server needs: the parameter of `createLatchkey`. */
export interface Connection {
  baseUrl: string;
  /** The token to send, found anew for each request; undefined for nobody. */
  token: () => Promise<string | undefined>;
}

export function createTestClient(connection: Connection): TestClient {
  return createLatchkey(connection);
}
