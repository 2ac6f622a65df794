import type { AccessToken } from '../../client/index.js';
import { relative, relativeAndExact } from '../output/moment.js';
import type { Column } from '../output/table.js';

type State = 'active' | 'expiring' | 'expired' | 'revoked' | 'disabled';

/** Milliseconds before its end from which on a token is about to expire. */
const SOON = 7 * 86_400_000;

const STYLES = { active: 'green', expiring: 'yellow', expired: 'red', revoked: 'gray', disabled: 'magenta' } as const;

export function stateOf({ revokedAt, expiresAt, disabled }: AccessToken, now = Date.now()): State {
  if (revokedAt !== null) return 'revoked';
  const left = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt) - now;
  if (left <= 0) return 'expired';
  if (disabled) return 'disabled';
  return left <= SOON ? 'expiring' : 'active';
}

export const styleOf = (token: AccessToken) => STYLES[stateOf(token)];

const name: Column<AccessToken> = { title: 'NAME', text: (token) => token.name, shrinks: true };
const prefix: Column<AccessToken> = { title: 'PREFIX', text: ({ tokenPrefix }) => tokenPrefix };
const type: Column<AccessToken> = { title: 'TYPE', text: ({ tokenType }) => tokenType };
const state: Column<AccessToken> = { title: 'STATE', text: stateOf, style: styleOf };

/** For people, with times as they say them. */
export const SHORT: readonly Column<AccessToken>[] = [
  name,
  prefix,
  state,
  { title: 'EXPIRES', text: ({ expiresAt }) => relative(expiresAt) },
  { title: 'LAST USED', text: ({ lastUsedAt }) => relative(lastUsedAt) },
  { title: 'CREATED', text: ({ createdAt }) => relative(createdAt) },
];

/** Everything to the millisecond, for programs and for `--wide`. */
export const WIDE: readonly Column<AccessToken>[] = [
  { title: 'ID', text: ({ id }) => id },
  { ...name, shrinks: false },
  prefix,
  type,
  state,
  { title: 'EXPIRES', text: ({ expiresAt }) => expiresAt ?? 'never' },
  { title: 'LAST USED', text: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
  { title: 'CREATED', text: ({ createdAt }) => createdAt },
];

/** One token, member by member. */
export function membersOf(token: AccessToken): [label: string, text: string][] {
  const { previousSecret, metadata } = token;
  return [
    ['name', token.name],
    ['id', token.id],
    ['prefix', token.tokenPrefix],
    ['type', token.tokenType],
    ['state', stateOf(token)],
    ...(token.description === '' ? [] : [['description', token.description] as [string, string]]),
    ...Object.entries(metadata).map(([key, value]): [string, string] => [`metadata ${key}`, value]),
    ['expires', relativeAndExact(token.expiresAt)],
    ['last used', relativeAndExact(token.lastUsedAt)],
    ['created', relativeAndExact(token.createdAt)],
    ...(token.revokedAt === null ? [] : [['revoked', relativeAndExact(token.revokedAt)] as [string, string]]),
    ...(previousSecret === null
      ? []
      : ([
          [
            'earlier secret',
            `${previousSecret.tokenPrefix}, serves until ${relativeAndExact(previousSecret.validUntil)}`,
          ],
          ['earlier last used', relativeAndExact(previousSecret.lastUsedAt)],
        ] as [string, string][])),
  ];
}
