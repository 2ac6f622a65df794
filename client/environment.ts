/** The options that `fromEnvironment` reads from environment variables. */
export interface EnvironmentOptions {
  baseUrl: string;
  token?: string;
}

/**
 * Reads `LATCHKEY_URL` and `LATCHKEY_TOKEN`. Throws a `TypeError` if `LATCHKEY_URL` is not set, if `LATCHKEY_TOKEN` is
 * empty, and if `options` has a `baseUrl` or `token`, because the token must only be sent to `LATCHKEY_URL`.
 */
export function readEnvironment(options: object): EnvironmentOptions {
  for (const name of ['baseUrl', 'token']) {
    if (name in options) throw new TypeError(`fromEnvironment takes no ${name}: set the environment variable instead`);
  }
  const { process } = globalThis as { process?: { env?: Partial<Record<string, string>> } };
  const { LATCHKEY_URL: baseUrl, LATCHKEY_TOKEN: token } = process?.env ?? {};
  if (!baseUrl)
    throw new TypeError(
      'LATCHKEY_URL is not set: set it to the URL of the service, such as https://tokens.example.org',
    );
  if (token === '') throw new TypeError('LATCHKEY_TOKEN is empty: unset it, or set it to a token');
  return { baseUrl, ...(token !== undefined && { token }) };
}
