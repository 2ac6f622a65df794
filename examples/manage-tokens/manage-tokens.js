// @ts-check
import { createLatchkey, LatchkeyError } from '@latchkey/client';

const DAY = 24 * 60 * 60 * 1_000;
const USAGE = 'usage: manage-tokens list | create NAME [DAYS] | revoke ID | revoke-unused';

// Reads LATCHKEY_URL and LATCHKEY_TOKEN. The token is sent to that URL only.
const lk = createLatchkey.fromEnvironment();

/** @type {Record<string, (...args: string[]) => Promise<void>>} */
const commands = {
  async list() {
    for await (const { id, name, tokenPrefix, expiresAt } of lk.accessTokens.all({ tokenType: 'pat' })) {
      console.log([id, tokenPrefix, expiresAt ?? 'never expires', name].join('  '));
    }
  },

  async create(name = '', days) {
    const expiresInDays = days === undefined ? null : Number(days);
    const { plaintext, token } = await lk.createAccessToken({ body: { name, expiresInDays } });
    console.log(`${token.id}  ${plaintext}  (shown only once)`);
  },

  async revoke(id = '') {
    await lk.revokeAccessToken({ path: { token_id: id } });
    console.log(`revoked ${id}`);
  },

  async 'revoke-unused'() {
    for await (const { id, name, createdAt, lastUsedAt } of lk.accessTokens.all({ tokenType: 'pat' })) {
      if (lastUsedAt !== null || Date.now() - Date.parse(createdAt) < DAY) continue;
      await lk.revokeAccessToken({ path: { token_id: id } });
      console.log(`revoked ${id}  ${name}`);
    }
  },
};

/** @param {LatchkeyError} error */
function explain(error) {
  switch (error.code) {
    case 'invalid_input':
      return error.problems.map(({ field, message }) => (field === null ? message : `${field}: ${message}`)).join('\n');
    case 'unauthorized':
      return 'LATCHKEY_TOKEN is not valid: it is missing, unknown, expired, revoked or disabled.';
    case 'network_error':
    case 'timeout':
      return `${error.message} Check LATCHKEY_URL.`;
    default:
      return `${error.message} (request ${error.requestId ?? 'unknown'})`;
  }
}

const [command = '', ...args] = process.argv.slice(2);
try {
  const run = commands[command];
  if (run === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
  } else {
    await run(...args);
  }
} catch (error) {
  if (!(error instanceof LatchkeyError)) throw error;
  console.error(explain(error));
  process.exitCode = 1;
}
