// @ts-check
import { createVerifier } from '@latchkey/client/middleware';

/**
 * All routes share one verifier, so that they share its connections. It asks the service at LATCHKEY_URL with
 * LATCHKEY_TOKEN, a token that needs the scope tokens:verify only.
 */
export const verifier = createVerifier.fromEnvironment({
  onRefusal: ({ status, reason, token }) => console.log(`${status} ${reason} ${token?.name ?? '-'}`),
  onError: ({ status, message }) => console.log(`${status} ${message}`),
});

export const port = Number(process.env['PORT'] ?? 3000);
