import type { SeededToken, SeededUser, TestingServer } from '../server/index.js';
import { WrongUse } from './failure.js';
import { visible } from './output/text.js';

// Output of `latchkey dev` at its start: a user, the state of the user's tokens, and requests to try.

const MOST_USERS = 20;
const MOST_TOKENS = 10;
/** Most tokens that one request verifies. */
const BATCH = 100;

interface ShownToken extends SeededToken {
  /** Code of the verification, such as `valid`. */
  state: string;
}

/** Builds the output. It shows the first user who has a valid token, or else the first user. */
export async function welcome(server: TestingServer): Promise<string> {
  const states = await statesOf(server);
  const users = server.users.map((user) => ({
    ...user,
    tokens: user.tokens
      .slice(0, MOST_TOKENS)
      .map((token): ShownToken => ({ ...token, state: states.get(token.plaintext) ?? 'unknown' })),
  }));
  const user = users.find(({ tokens }) => tokens.some(isValid)) ?? users[0];
  if (user === undefined) throw new WrongUse('a local server has at least one user');
  return [
    `latchkey dev listening on ${server.url}`,
    '',
    `user      ${visible(user.email)}`,
    `password  ${visible(user.password)}`,
    ...user.tokens.map(
      ({ name, plaintext, state }) =>
        `token     ${plaintext}  ${name === state ? state : `${visible(name)}, ${state}`}`,
    ),
    '',
    'Everything is in memory and gone when this ends. Try:',
    '',
    ...curlLines(server.url, user, user.tokens.find(isValid)).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** Verifies the tokens of the first users, and returns the codes by plaintext. Then it resets the server. */
async function statesOf(server: TestingServer): Promise<Map<string, string>> {
  const plaintexts = server.users
    .slice(0, MOST_USERS)
    .flatMap(({ tokens }) => tokens.slice(0, MOST_TOKENS).map(({ plaintext }) => plaintext));
  const states = new Map<string, string>();
  for (const { email } of server.users.slice(0, MOST_USERS)) {
    try {
      const client = server.client(email);
      for (let start = 0; start < plaintexts.length; start += BATCH) {
        const batch = plaintexts.slice(start, start + BATCH);
        const { results } = await client.verifyAccessTokens({ body: { tokens: batch.map((token) => ({ token })) } });
        for (const [index, plaintext] of batch.entries()) states.set(plaintext, results[index]?.code ?? 'unknown');
      }
      break;
    } catch {
      // This user is disabled, so the next one tries.
    }
  }
  await server.reset();
  return states;
}

function isValid({ state }: ShownToken): boolean {
  return state === 'valid';
}

/** curl that prints a line break after the body. */
const CURL = "curl -sw '\\n'";

function curlLines(url: string, { email, password }: SeededUser, valid: SeededToken | undefined): string[] {
  const json = "-H 'Content-Type: application/json'";
  const control = `${url}/__testing`;
  return [
    `${CURL} ${url}/api/v1/auth/login/ ${json} -d ${quoted(JSON.stringify({ username: email, password }))}`,
    ...(valid === undefined
      ? []
      : [`${CURL} ${url}/api/v1/access-tokens -H 'Authorization: Bearer ${valid.plaintext}'`]),
    `${CURL} -X PUT ${control}/clock ${json} -d '{"advanceMs": 86400000}'`,
    `${CURL} ${control}/faults ${json} -d '{"operationId": "createAccessToken", "status": 503}'`,
    `${CURL} ${control}/requests`,
    `${CURL} -X POST ${control}/reset`,
  ];
}

/** Quotes a text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
