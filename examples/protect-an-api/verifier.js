// @ts-check
import { createVerifier } from '@latchkey/client/middleware';

/** One for the process: all routes share its connections, and their questions. */
export const verifier = createVerifier({
  baseUrl: process.env['LATCHKEY_URL'] ?? 'http://127.0.0.1:8080',
  // Needs the scope tokens:verify, and no other.
  token: process.env['LATCHKEY_TOKEN'] ?? '',
  onRefusal: ({ status, reason, token }) => console.log(`${status} ${reason} ${token?.name ?? '-'}`),
  onError: ({ status, message }) => console.log(`${status} ${message}`),
});

export const port = Number(process.env['PORT'] ?? 3000);
