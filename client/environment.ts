/** What `fromEnvironment` finds: a token is there only together with its URL. */
export interface EnvironmentOptions {
  baseUrl: string;
  token?: string;
}

/**
 * `LATCHKEY_URL` and `LATCHKEY_TOKEN` of the process. Throws a `TypeError` where there is no URL, which the token would
 * else be sent elsewhere for, and for an empty token.
 */
export function readEnvironment(options: object): EnvironmentOptions {
  for (const name of ['baseUrl', 'token']) {
    if (name in options) throw new TypeError(`fromEnvironment takes no ${name}: it is read from the environment`);
  }
  const { process } = globalThis as { process?: { env?: Partial<Record<string, string>> } };
  const { LATCHKEY_URL: baseUrl, LATCHKEY_TOKEN: token } = process?.env ?? {};
  if (!baseUrl)
    throw new TypeError('LATCHKEY_URL is not set: the address of the service, such as https://tokens.example.org');
  if (token === '') throw new TypeError('LATCHKEY_TOKEN is empty: unset it, or set it to a token');
  return { baseUrl, ...(token !== undefined && { token }) };
}
