import type { AccessToken } from '../../client/index.js';
import type { Look } from '../output/look.js';
import { relative, relativeAndExact } from '../output/moment.js';
import type { Column } from '../output/table.js';

type State = 'active' | 'expiring' | 'expired' | 'revoked' | 'disabled';

/** Milliseconds before its expiry in which a token counts as expiring. */
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
const scopes: Column<AccessToken> = { title: 'SCOPES', text: (token) => token.scopes.join(' ') || '-' };
const state: Column<AccessToken> = { title: 'STATE', text: stateOf, style: styleOf };

/** Columns for people, with relative times. */
export const SHORT: readonly Column<AccessToken>[] = [
  name,
  prefix,
  state,
  { title: 'EXPIRES', text: ({ expiresAt }) => relative(expiresAt) },
  { title: 'LAST USED', text: ({ lastUsedAt }) => relative(lastUsedAt) },
  { ...scopes, shrinks: true },
];

/** Columns for programs and `--wide`, with exact times. */
export const WIDE: readonly Column<AccessToken>[] = [
  { title: 'ID', text: ({ id }) => id },
  { ...name, shrinks: false },
  prefix,
  type,
  state,
  { title: 'EXPIRES', text: ({ expiresAt }) => expiresAt ?? 'never' },
  { title: 'LAST USED', text: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
  { title: 'CREATED', text: ({ createdAt }) => createdAt },
  scopes,
];

type Member = [label: string, text: string];

/** The members of a token, for `tokens show`. People also get relative times. */
export function membersOf(token: AccessToken, { forPeople }: Look): Member[] {
  const { previousSecret, metadata } = token;
  const moment = (instant: string | null) => (forPeople ? relativeAndExact(instant) : (instant ?? 'never'));
  return [
    ['name', token.name],
    ['id', token.id],
    ['prefix', token.tokenPrefix],
    ['type', token.tokenType],
    ['state', stateOf(token)],
    ['scopes', token.scopes.join(' ') || '-'],
    ...(token.description === '' ? [] : [['description', token.description] as Member]),
    ...Object.entries(metadata).map(([key, value]): Member => [`metadata ${key}`, value]),
    ['expires', moment(token.expiresAt)],
    ['last used', moment(token.lastUsedAt)],
    ['created', moment(token.createdAt)],
    ...(token.revokedAt === null ? [] : [['revoked', moment(token.revokedAt)] as Member]),
    ...(previousSecret === null
      ? []
      : ([
          ['earlier secret', `${previousSecret.tokenPrefix}, ends ${moment(previousSecret.validUntil)}`],
          ['earlier last used', moment(previousSecret.lastUsedAt)],
        ] as Member[])),
  ];
}
