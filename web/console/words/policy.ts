import { count, countTokens } from './count.js';

export const title = 'Policy';
export const lead = 'The rules for new personal access tokens, and how old tokens come to follow them.';
export const rules = 'Rules';
export const rulesWhy = 'The operator of the service sets them by these variables, for all processes.';
export const defaultLifetime = 'Lifetime without an expiry';
export const maxLifetime = 'Longest lifetime';
export const requireExpiry = 'Must expire';
export const maxTokens = 'Most tokens of one owner';
export const days = (number: number) => count(number, 'day', 'days');
export const forever = 'for ever';
export const noLimit = 'no limit';
export const yes = 'yes';
export const no = 'no';
export const older = 'Tokens older than the rules';
export const olderNone = 'Every token follows the rules.';
export const withoutExpiry = (number: number) =>
  number === 1 ? 'token never expires, and has to' : 'tokens never expire, and have to';
export const livingTooLong = (number: number) => (number === 1 ? 'token lives too long' : 'tokens live too long');
export const ownersAboveLimit = (number: number) =>
  number === 1 ? 'owner has more tokens than allowed' : 'owners have more tokens than allowed';
export const ownersHint = 'Applying the policy does not change these: their owners have to revoke some.';
export const apply = 'Apply the policy';
export const applyWhy = 'Gives each of these tokens an end. No token gets a longer life.';
export const nothing = 'There is nothing to apply: no token never expires or lives too long.';
export const action = 'At its end, a token';
export const actions = { expire: 'expires, and its owner may rotate it', revoke: 'is revoked for good' };
export const inDays = 'Days until the first end';
export const spreadDays = 'Days over which the ends are spread';
export const spreadHint = 'So that not everything stops on one day.';
export const range = 'A whole number from 0 to 365.';
export const check = 'Show what would change';
export const checking = 'Looking at each token…';
export const would = (number: number) =>
  number === 0 ? 'No token would change' : `${countTokens(number)} would change`;
export const wouldEnd = (first: string, last: string) =>
  first === last ? `All end on ${first}.` : `They end from ${first} to ${last}.`;
export const unchanged = (number: number) => `${countTokens(number)} end sooner anyway.`;
export const samples = 'For example';
export const endless = 'never';
export const rest = (number: number) => `and ${countTokens(number)} more`;
export const submit = (number: number) => `Apply to ${countTokens(number)}`;
export const confirmTitle = (number: number) => `Give ${countTokens(number)} an end?`;
export const confirm = {
  expire: 'They expire on the days shown.',
  revoke: 'They are revoked on the days shown, unless their owners set another expiry. A revocation cannot be undone.',
};
export const applied = (number: number) => `Changed ${countTokens(number)}.`;
