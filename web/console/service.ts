import { createLatchkey } from '../../client/index.js';

/** The service that served this page. Its session is in cookies that no script can read. */
export const lk = createLatchkey({
  baseUrl: location.origin,
  cookies: true,
  // The page itself came over the same connection.
  allowInsecureHttp: true,
});
