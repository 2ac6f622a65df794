import { expect, test } from 'vitest';
import {
  createAccessToken,
  getMe,
  introspectToken,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  revokeCurrentAccessToken,
  revokeOAuthToken,
  rotateAccessToken,
  updateAccessToken,
  verifyAccessToken,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { clientOf, logInTo, ownDatabase, serveDatabase } from '../support/process.js';
import { answered, type Client } from '../support/service.js';

interface Answer {
  response: Response;
  error?: unknown;
}

/** What ends a secret; `own` sends it as the credential, `owner` another one of its owner. */
const CHANGES: Record<string, (owner: Client, own: Client, id: string, token: string) => Promise<Answer>> = {
  'revoked by its id': (client, _own, token_id) => revokeAccessToken({ client, path: { token_id } }),
  'revoked by itself': (_owner, client) => revokeCurrentAccessToken({ client }),
  'revoked by its plaintext': (client, _own, _id, token) => revokeOAuthToken({ client, body: { token } }),
  'revoked among others': (client, _own, id) => revokeAccessTokens({ client, body: { ids: [id] } }),
  'revoked with all others': (client) => revokeAllAccessTokens({ client }),
  disabled: (client, _own, token_id) => updateAccessToken({ client, path: { token_id }, body: { disabled: true } }),
  'rotated without a grace period': (client, _own, token_id) =>
    rotateAccessToken({ client, path: { token_id }, body: { gracePeriodSeconds: 0 } }),
};

/** Whether a secret is accepted, in each way that there is. */
const CHECKS: Record<string, (owner: Client, own: Client, token: string) => Promise<boolean>> = {
  async authenticating(_owner, client) {
    const { response } = await getMe({ client });
    if (response.status !== 200 && response.status !== 401) throw new Error(`refused: ${String(response.status)}`);
    return response.status === 200;
  },
  verify: async (client, _own, token) => (await answered(verifyAccessToken({ client, body: { token } }))).valid,
  introspect: async (client, _own, token) => (await answered(introspectToken({ client, body: { token } }))).active,
};

const PAIRS = 1_000;
/** Pairs at the same time, each of a user of its own: `revoked with all others` ends no other pair's token. */
const WORKERS = 8;

test('what one process ends, no other accepts from the answer on', { timeout: 120_000 }, async () => {
  const database = await ownDatabase();
  const { url: first } = await serveDatabase(database);
  const { url: second } = await serveDatabase(database);
  const users = await openUsers(database);
  const pairs = Array.from({ length: PAIRS }, (_, index) => index);
  const refusedBefore: string[] = [];
  const acceptedAfter: string[] = [];
  let [changes, waits] = [0, 0];

  /** A process that waits too long for the other's write says so, and has changed nothing. */
  const made = async <Made extends Answer>(call: () => Promise<Made>): Promise<Made> => {
    for (;;) {
      const answer = await call();
      changes++;
      if (answer.response.status !== 503) return answer;
      waits++;
    }
  };

  const workers = Array.from({ length: WORKERS }, async (_, worker) => {
    const user = { email: `user${String(worker)}@example.org`, password: 'a password for the tests' };
    await users.add({ ...user, fullName: '', isAdmin: false });
    const { token: session } = await logInTo(first, user);
    for (let index = pairs.pop(); index !== undefined; index = pairs.pop()) {
      const [[how, change], rest] = pick(CHANGES, index);
      const [[seenBy, check], turn] = pick(CHECKS, rest);
      const [here, there] = turn % 2 === 0 ? [first, second] : [second, first];
      const name = `${how}, ${seenBy} on the ${there === first ? 'first' : 'second'}`;
      const [ownerHere, ownerThere] = [clientOf(here, session), clientOf(there, session)];
      const body = { name: 'shared' };
      const { plaintext, token } = await answered(made(() => createAccessToken({ client: ownerHere, body })));
      const isAccepted = () => check(ownerThere, clientOf(there, plaintext), plaintext);
      if (!(await isAccepted())) refusedBefore.push(name);
      const { response } = await made(() => change(ownerHere, clientOf(here, plaintext), token.id, plaintext));
      expect(response.ok, name).toBe(true);
      if (await isAccepted()) acceptedAfter.push(name);
    }
  });
  await Promise.all(workers);
  await users.close();

  expect(refusedBefore).toEqual([]);
  expect(acceptedAfter).toEqual([]);
  expect(waits).toBeLessThanOrEqual(0.05 * changes);
});

/** The entry that `index` falls on where all are taken in turn, and how often all have been taken. */
function pick<Value>(record: Record<string, Value>, index: number): [[name: string, Value], turn: number] {
  const entries = Object.entries(record);
  const entry = entries[index % entries.length];
  if (entry === undefined) throw new TypeError('there is nothing to pick');
  return [entry, Math.floor(index / entries.length)];
}
