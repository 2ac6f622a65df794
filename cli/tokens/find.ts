import type { AccessToken, Latchkey } from '../../client/index.js';
import { Rejected, WrongUse } from '../failure.js';
import { visible } from '../output/text.js';
import { stateOf } from './describe.js';
import type { OwnerQuery } from './owner.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** At least 4 characters: ids begin with the time, so shorter starts match too many tokens. */
const ID_START = /^[0-9a-f-]{4,36}$/i;
const PREFIX_LENGTH = 12;
const LONGEST_NAME = 255;
/** Most candidates in an error message. */
const MOST_CANDIDATES = 10;

/**
 * Finds the tokens that `selectors` name. A selector is an id or the start of one, a prefix of 12 characters, an exact name,
 * or `current`, which is refused with an `owner`. It finds a revoked token only if no other token matches.
 *
 * Rejects with `Rejected` if a selector matches no token, or several; the message then lists the candidates.
 */
export async function findTokens(
  client: Latchkey,
  selectors: readonly string[],
  owner: OwnerQuery = {},
): Promise<AccessToken[]> {
  const found: AccessToken[] = [];
  for (const selector of selectors) {
    if (selector === 'current') {
      // Of another owner it would be none of the tokens that are meant.
      if (Object.keys(owner).length > 0)
        throw new WrongUse('current is your own token: leave out --owner and --external-owner');
      found.push(await client.getCurrentAccessToken());
    } else if (UUID.test(selector)) {
      found.push(await client.getAccessToken({ path: { token_id: selector }, query: owner }));
    } else found.push(theOne(selector, await candidatesFor(client, selector, owner)));
  }
  return [...new Map(found.map((token) => [token.id, token])).values()];
}

export async function findToken(client: Latchkey, selector: string, owner: OwnerQuery = {}): Promise<AccessToken> {
  const [token] = await findTokens(client, [selector], owner);
  if (token === undefined) throw new TypeError('every selector gives a token');
  return token;
}

/** Lists tokens that may match. The service can search by name; for an id or a prefix all tokens are listed. */
async function candidatesFor(client: Latchkey, selector: string, owner: OwnerQuery): Promise<AccessToken[]> {
  if (/[\p{Cc}\p{Cs}]/u.test(selector) || selector.length > LONGEST_NAME) return [];
  const isName = !ID_START.test(selector) && selector.length !== PREFIX_LENGTH;
  const candidates: AccessToken[] = [];
  const query = { ...owner, includeRevoked: true, ...(isName && selector !== '' && { q: selector }) };
  for await (const token of client.accessTokens.all(query)) candidates.push(token);
  return candidates;
}

function theOne(selector: string, all: readonly AccessToken[]): AccessToken {
  const start = ID_START.test(selector) ? selector.toLowerCase() : undefined;
  const matching = all.filter(
    ({ id, name, tokenPrefix, previousSecret }) =>
      [name, tokenPrefix, previousSecret?.tokenPrefix].includes(selector) ||
      (start !== undefined && id.startsWith(start)),
  );
  const live = matching.filter(({ revokedAt }) => revokedAt === null);
  const candidates = live.length > 0 ? live : matching;
  const [token, ...others] = candidates;
  const shown = JSON.stringify(selector);
  if (token === undefined) throw new Rejected(`there is no token with the id, prefix or name ${visible(shown)}`);
  if (others.length === 0) return token;
  const lines = candidates
    .slice(0, MOST_CANDIDATES)
    .map((one) => `  ${visible(one.id)}  ${visible(one.tokenPrefix)}  ${stateOf(one)}  ${visible(one.name)}`);
  const more = candidates.length > lines.length ? [`  and ${String(candidates.length - lines.length)} more`] : [];
  throw new Rejected(
    [`${visible(shown)} matches ${String(candidates.length)} tokens; use an id:`, ...lines, ...more].join('\n'),
  );
}
