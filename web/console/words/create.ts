import { count } from './count.js';

export const title = 'New token';
export const titleFor = (owner: string) => `New token for ${owner}`;
export const name = 'Name';
export const nameHint = 'Where you will use it, such as “deploy bot”.';
export const description = 'Description';
export const descriptionHint = 'What it is for, and where its secret is kept.';
export const expiry = 'Expiration';
export const days = (number: number) => count(number, 'day', 'days');
export const year = '1 year';
export const custom = 'Other';
export const customDays = 'Days until it expires';
export const never = 'No expiration';
export const until = (day: string) => `Expires on ${day}.`;
export const forever = 'This token works until somebody revokes it. Prefer an expiration where you can.';
export const most = (days: number) => `This service allows at most ${count(days, 'day', 'days')}.`;
export const range = (most: number) => `A whole number from 1 to ${String(most)}.`;
export const scopes = 'Scopes';
export const scopesHint = 'What the token may do. Give it as little as it needs.';
export const own = 'In this service';
export const other = 'In your own API';
export const otherHint = 'Words of your API, separated by spaces, such as invoices:read.';
export const usedBefore = 'Used by your other tokens';
export const malformed = (scope: string) =>
  `“${scope}” is not a scope: use letters, digits and . _ : / - and begin with a letter or digit.`;
export const summary = 'Summary';
export const may = (what: string) => `may use ${what}`;
export const mayNothing = 'has no scopes: it can only show, rotate and revoke itself';
export const summaryOf = (name: string, what: string, until: string) => `${name} ${what}. ${until}`;
export const unnamed = 'This token';
export const submit = 'Create token';
export const limit = (have: number, most: number) =>
  `You have ${String(have)} of ${count(most, 'token', 'tokens')} that this service allows.`;
export const limitReached = 'Revoke one before you create another.';
export const created = (name: string) => `Created ${name}.`;
