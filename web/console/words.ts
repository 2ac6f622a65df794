import type { EventAction, TokenState } from '../../client/index.js';

// All texts of the console, here and in words/, so that a translation needs no other file.

export const states: Record<TokenState, string> = {
  active: 'Active',
  expiring: 'Expiring soon',
  expired: 'Expired',
  disabled: 'Disabled',
  revoked: 'Revoked',
};

export const scopes: Record<string, string> = {
  'tokens:read': 'See your tokens and their events',
  'tokens:write': 'Create, edit, rotate and revoke your tokens',
  'tokens:verify': 'Ask whether a token is valid, as your API does',
  'tokens:act-as': 'Manage the tokens of services and external owners',
  'users:admin': 'Manage users. Whoever has this can log in as anybody',
  'audit:read': 'Read the audit log of the whole organization',
  'webhooks:admin': 'Manage webhooks',
  'policy:admin': 'See and apply the policy for tokens',
};

export const events: Partial<Record<EventAction, string>> = {
  'token.created': 'Created',
  'token.updated': 'Edited',
  'token.rotated': 'Rotated',
  'token.grace_ended': 'Earlier secret ended',
  'token.revoked': 'Revoked',
  'token.leaked': 'Reported as leaked',
  'token.expiring': 'Owner was told that it expires soon',
  'token.expired': 'Expired',
  'session.opened': 'Logged in',
  'session.closed': 'Logged out',
  'session.refresh_reused': 'Ended, because a used refresh token came back',
};

export const brand = 'Latchkey';
export const skip = 'Skip to the content';
export const menu = 'Menu';
export const cancel = 'Cancel';
export const save = 'Save';
export const tryAgain = 'Try again';
export const requestId = (id: string) => `Request ${id}`;
export const never = 'Never';
export const none = 'None';
export const optional = 'optional';
export const copy = 'Copy';
export const copied = 'Copied';
export const copyYourself = 'The browser does not copy here. The text is selected: press Ctrl+C, or on a Mac ⌘C.';
export const title = (page: string) => `${page} · Latchkey`;
export { errors } from './words/errors.js';
export const unknownError = 'Something went wrong in this page.';
export const required = 'Fill in this field.';
/** By seconds. */
export const graces = { 0: 'Now', 3600: 'In 1 hour', 86400: 'In 1 day', 604800: 'In 7 days' };
export const list = (parts: readonly string[]) => new Intl.ListFormat(undefined, { type: 'conjunction' }).format(parts);
export * as audit from './words/audit.js';
export * as create from './words/create.js';
export * as login from './words/login.js';
export * as missing from './words/missing.js';
export * as nav from './words/nav.js';
export * as owners from './words/owners.js';
export * as policy from './words/policy.js';
export * as reveal from './words/reveal.js';
export * as sessions from './words/sessions.js';
export * as token from './words/token.js';
export * as tokens from './words/tokens.js';
export * as users from './words/users.js';
export * as webhooks from './words/webhooks.js';
