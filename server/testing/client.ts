import { type Client, createClient } from '../../generated/client/index.js';

/** What a client of the server needs: the parameter of `createLatchkey`. */
export interface Connection {
  baseUrl: string;
  /** The token to send, found anew for each request; undefined for nobody. */
  token: () => Promise<string | undefined>;
}

/** A client of the local server. */
export type TestClient = Client;

export function createTestClient({ baseUrl, token }: Connection): TestClient {
  const client = createClient({ baseUrl });
  client.interceptors.request.use(async (request) => {
    const plaintext = await token();
    if (plaintext !== undefined) request.headers.set('Authorization', `Bearer ${plaintext}`);
    return request;
  });
  return client;
}
