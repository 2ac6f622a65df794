import { createLatchkey, type Latchkey } from '../../client/index.js';

/** What web/build/console.ts leaves out of the client. */
type Unused = 'as' | 'accessTokens' | 'privateTokens' | 'auditEvents';

/** The service that served this page. Its session is in cookies that no script can read. */
export const lk: Omit<Latchkey, Unused> = createLatchkey({
  baseUrl: location.origin,
  cookies: true,
  // The page itself came over the same connection.
  allowInsecureHttp: true,
});
