function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

const tokens = (number: number): string => count(number, 'token', 'tokens');

export const policy = {
  title: 'Policy',
  lead: 'The rules for new personal access tokens, and how old tokens come to follow them.',
  rules: 'Rules',
  rulesWhy: 'The operator of the service sets them by these variables, for all processes.',
  defaultLifetime: 'Lifetime without an expiry',
  maxLifetime: 'Longest lifetime',
  requireExpiry: 'Must expire',
  maxTokens: 'Most tokens of one owner',
  days: (number: number) => count(number, 'day', 'days'),
  forever: 'for ever',
  noLimit: 'no limit',
  yes: 'yes',
  no: 'no',
  older: 'Tokens older than the rules',
  olderNone: 'Every token follows the rules.',
  withoutExpiry: (number: number) =>
    number === 1 ? 'token never expires, and has to' : 'tokens never expire, and have to',
  livingTooLong: (number: number) => (number === 1 ? 'token lives too long' : 'tokens live too long'),
  ownersAboveLimit: (number: number) =>
    number === 1 ? 'owner has more tokens than allowed' : 'owners have more tokens than allowed',
  ownersHint: 'Applying the policy does not change these: their owners have to revoke some.',
  apply: 'Apply the policy',
  applyWhy: 'Gives each of these tokens an end. No token gets a longer life.',
  nothing: 'There is nothing to apply: no token never expires or lives too long.',
  action: 'At its end, a token',
  actions: { expire: 'expires, and its owner may rotate it', revoke: 'is revoked for good' },
  inDays: 'Days until the first end',
  spreadDays: 'Days over which the ends are spread',
  spreadHint: 'So that not everything stops on one day.',
  range: 'A whole number from 0 to 365.',
  check: 'Show what would change',
  checking: 'Looking at each token…',
  would: (number: number) => (number === 0 ? 'No token would change' : `${tokens(number)} would change`),
  wouldEnd: (first: string, last: string) =>
    first === last ? `All end on ${first}.` : `They end from ${first} to ${last}.`,
  unchanged: (number: number) => `${tokens(number)} end sooner anyway.`,
  samples: 'For example',
  endless: 'never',
  rest: (number: number) => `and ${tokens(number)} more`,
  submit: (number: number) => `Apply to ${tokens(number)}`,
  confirmTitle: (number: number) => `Give ${tokens(number)} an end?`,
  confirm: {
    expire: 'They expire on the days shown.',
    revoke:
      'They are revoked on the days shown, unless their owners set another expiry. A revocation cannot be undone.',
  },
  applied: (number: number) => `Changed ${tokens(number)}.`,
};
