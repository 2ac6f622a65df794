import type { AccessToken } from '../generated/types.gen.js';
import type { CallOptions, DataOf, InputOf, OperationId, OperationOf, Operations } from './operations.js';

/** An owner to act for: by the id of your own system, or by the integer id of the service. */
export type NamedOwner = { externalOwner: string; owner?: never } | { owner: number; externalOwner?: never };

type QueryOf<Id extends OperationId> = NonNullable<InputOf<Id>['query']>;

/** The operations that can act for another owner: those with the parameter `externalOwner`. */
type ActingId = {
  [Id in OperationId]: [QueryOf<Id>] extends [never] ? never : 'externalOwner' extends keyof QueryOf<Id> ? Id : never;
}[OperationId];

type WithoutOwner<Query> = Omit<Query, 'owner' | 'externalOwner'>;
type ActingInput<Id extends ActingId> = Omit<InputOf<Id>, 'query'> & { query?: WithoutOwner<QueryOf<Id>> };

/** A client whose operations act for one owner. It shares the credential and the options of the client that made it. */
export type ActingLatchkey = { [Id in ActingId]: OperationOf<ActingInput<Id>, DataOf<Id>> } & {
  readonly accessTokens: {
    /** Iterates over the owner's access tokens that match the filters, newest first, as the client's own `all` does. */
    all(
      options?: Omit<WithoutOwner<QueryOf<'listAccessTokens'>>, 'cursor'> & CallOptions,
    ): AsyncGenerator<AccessToken, void, undefined>;
  };
};

const ACTING: Record<ActingId, true> = {
  countAccessTokens: true,
  createAccessToken: true,
  getAccessToken: true,
  getTokenLimits: true,
  listAccessTokenEvents: true,
  listAccessTokens: true,
  revokeAccessToken: true,
  revokeAccessTokens: true,
  revokeAllAccessTokens: true,
  rotateAccessToken: true,
  transferAccessTokens: true,
  updateAccessToken: true,
};

/**
 * Returns the operations that act for the owner. Throws a `TypeError` if no owner is named, because the operations would then
 * act on the caller's own tokens.
 */
export function actingFor(
  operations: Operations,
  all: (options: object) => AsyncGenerator<AccessToken, void, undefined>,
  { owner, externalOwner }: NamedOwner,
): ActingLatchkey {
  if (!externalOwner && !owner) throw new TypeError('as must name an owner: pass externalOwner or owner');
  const named = externalOwner === undefined ? { owner } : { externalOwner };
  const acting = Object.keys(ACTING).map((id) => {
    const operation = operations[id as ActingId] as (input: object) => unknown;
    return [id, (input: { query?: object } = {}) => operation({ ...input, query: { ...input.query, ...named } })];
  });
  return {
    ...(Object.fromEntries(acting) as Omit<ActingLatchkey, 'accessTokens'>),
    accessTokens: { all: (options) => all({ ...options, ...named }) },
  };
}
