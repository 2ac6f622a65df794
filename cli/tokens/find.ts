import type { AccessToken, Latchkey } from '../../client/index.js';
import { Refused } from '../failure.js';
import { visible } from '../output/text.js';
import { stateOf } from './describe.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Fewer characters of an id say next to nothing: ids begin with the time. */
const SHORTEST_START = 4;
/** Candidates that are named. */
const MOST_CANDIDATES = 10;

/**
 * The tokens that `selectors` name: an id or the start of one, the 12 characters that a token begins with, an exact name,
 * or `current`. A token that is revoked is found only where no other is.
 *
 * Rejects with `Refused` for a selector that names none, and, with the candidates, for one that names several.
 */
export async function findTokens(client: Latchkey, selectors: readonly string[]): Promise<AccessToken[]> {
  let all: AccessToken[] | undefined;
  const found: AccessToken[] = [];
  for (const selector of selectors) {
    if (selector === 'current') found.push(await client.getCurrentAccessToken());
    else if (UUID.test(selector)) found.push(await client.getAccessToken({ path: { token_id: selector } }));
    else {
      all ??= await listAll(client);
      found.push(theOne(selector, all));
    }
  }
  return [...new Map(found.map((token) => [token.id, token])).values()];
}

async function listAll(client: Latchkey): Promise<AccessToken[]> {
  const all: AccessToken[] = [];
  for await (const token of client.accessTokens.all({ includeRevoked: true })) all.push(token);
  return all;
}

export async function findToken(client: Latchkey, selector: string): Promise<AccessToken> {
  const [token] = await findTokens(client, [selector]);
  if (token === undefined) throw new TypeError('every selector gives a token');
  return token;
}

function theOne(selector: string, all: readonly AccessToken[]): AccessToken {
  const start = selector.length >= SHORTEST_START ? selector.toLowerCase() : undefined;
  const matching = all.filter(
    ({ id, name, tokenPrefix, previousSecret }) =>
      [name, tokenPrefix, previousSecret?.tokenPrefix].includes(selector) ||
      (start !== undefined && id.startsWith(start)),
  );
  const live = matching.filter(({ revokedAt }) => revokedAt === null);
  const candidates = live.length > 0 ? live : matching;
  const [token, ...others] = candidates;
  const shown = JSON.stringify(selector);
  if (token === undefined) throw new Refused(`there is no token with the id, prefix or name ${visible(shown)}`);
  if (others.length === 0) return token;
  const lines = candidates
    .slice(0, MOST_CANDIDATES)
    .map((one) => `  ${one.id}  ${one.tokenPrefix}  ${stateOf(one)}  ${visible(one.name)}`);
  const more = candidates.length > lines.length ? [`  and ${String(candidates.length - lines.length)} more`] : [];
  throw new Refused(
    [`${visible(shown)} may be any of ${String(candidates.length)} tokens:`, ...lines, ...more].join('\n'),
  );
}
