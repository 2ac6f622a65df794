import { countTokens } from './count.js';

export const title = 'Tokens';
export const titleOf = (owner: string) => `Tokens of ${owner}`;
export const lead = 'Personal access tokens for programs that act for you.';
export const create = 'New token';
export const states = 'Show tokens by state';
export const search = 'Search';
export const searchHint = 'Name, description or prefix';
export const scope = 'Scope';
export const sort = 'Sort by';
export const sorts = {
  '-createdAt': 'Newest first',
  createdAt: 'Oldest first',
  name: 'Name',
  expiresAt: 'Next to expire',
  '-lastUsedAt': 'Last used first',
  lastUsedAt: 'Longest unused first',
};
export const name = 'Name';
export const scopes = 'Scopes';
export const expires = 'Expires';
export const lastUsed = 'Last used';
export const state = 'State';
export { countTokens as count };
export const caption = (state: string) => `${state} tokens`;
export const neverUsed = 'Never used';
export const more = (number: number) => `and ${String(number)} more`;
export const noScopes = 'No scopes';
export const select = (name: string) => `Select ${name}`;
export const selectPage = 'Select all tokens of this page';
export const selected = (number: number) => `${countTokens(number)} selected`;
export const selectAll = (number: number) => `Select all ${countTokens(number)} that match`;
export const clear = 'Clear selection';
export const revoke = 'Revoke';
export const next = 'Next page';
export const previous = 'Previous page';
export const pages = 'Pages';
export const emptyTitle = 'No tokens yet';
export const empty = 'A token lets a program use the API in your name. Create one, and copy it into the program.';
export const emptyOther = 'This owner has no tokens.';
export const noneTitle = (state: string) => `No ${state.toLowerCase()} tokens`;
export const noneMatch = 'No token in this state matches your search and filters.';
export const reset = 'Clear search and filters';
export const elsewhere = (number: number, state: string) => `${state}: ${number.toLocaleString()}`;
export { countTokens as matching };
export const noMatchTitle = 'Nothing found';
export const revokeTitle = (number: number) => `Revoke ${countTokens(number)}?`;
export const revokeWhy = 'Programs that use them are rejected at once. This cannot be undone.';
export const revokeNone = 'None of these tokens can be revoked any more.';
export const revokeRest = (number: number) => `and ${countTokens(number)} more`;
export const revokeSubmit = (number: number) => `Revoke ${countTokens(number)}`;
export const checking = 'Checking what this would revoke';
export const revoked = (number: number) => `Revoked ${countTokens(number)}.`;
