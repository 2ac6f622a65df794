import type { AuditEvent, EventAction } from '../../../client/index.js';

export const actions: Record<EventAction, string> = {
  'token.created': 'Token created',
  'token.updated': 'Token edited',
  'token.rotated': 'Token rotated',
  'token.grace_ended': 'Earlier secret ended',
  'token.revoked': 'Token revoked',
  'token.transferred': 'Token given to another owner',
  'token.leaked': 'Token reported as leaked',
  'token.expiring': 'Notice of an expiry sent',
  'token.expired': 'Token expired',
  'session.opened': 'Logged in',
  'session.closed': 'Logged out',
  'session.refresh_reused': 'Session ended: a used refresh token came back',
  'login.failed': 'Login failed',
  'user.created': 'User added',
  'user.updated': 'User edited',
  'user.disabled': 'User disabled',
  'user.enabled': 'User enabled',
  'user.offboarded': 'User offboarded',
  'user.deleted': 'Owner deleted',
  'user.password_changed': 'Password changed',
  'webhook.created': 'Webhook created',
  'webhook.updated': 'Webhook edited',
  'webhook.secret_rotated': 'Webhook secret rotated',
  'webhook.enabled': 'Webhook enabled',
  'webhook.disabled': 'Webhook disabled',
  'webhook.deleted': 'Webhook deleted',
  'policy.applied': 'Policy applied',
  'audit.pruned': 'Old events deleted',
};

export const reasons: Record<NonNullable<AuditEvent['reason']>, string> = {
  user: 'by its owner',
  admin: 'by an administrator',
  bulk: 'one of several that were chosen',
  all: 'with everything of its owner',
  logout: 'by logging out',
  presented: 'by somebody who had its secret',
  reuse: 'a refresh token was used twice',
  password: "the owner's password was changed",
  disabled: 'the owner was disabled',
  leak: 'its secret had leaked',
  policy: 'an administrator applied the policy',
  offboarding: 'its owner was offboarded',
  deleted: 'its owner was deleted',
};

/** `token` of `token.created`, and so on. */
type Kind = EventAction extends infer Action ? (Action extends `${infer Of}.${string}` ? Of : never) : never;

export const kinds: Record<Kind, string> = {
  token: 'Tokens',
  session: 'Sessions',
  login: 'Logins',
  user: 'Users',
  webhook: 'Webhooks',
  policy: 'Policy',
  audit: 'Audit log',
};

// What an event is about, and its kinds in the order of a menu.

export const title = 'Events';
export const lead = 'Who changed what in this organization, newest first.';
export const action = 'What happened';
export const anyAction = 'Everything';
export const since = 'From';
export const until = 'To';
export const filters = 'Filters';
export const user = (id: number) => `user ${String(id)}`;
export const only = { actor: 'Done by', owner: 'About user', token: 'About token', requestId: 'Request' };
export const remove = (filter: string) => `Remove the filter “${filter}”`;
export const reset = 'Clear the filters';
export const follow = 'Live';
export const followHint = 'New events appear at the top as they happen.';
export const following = 'Waiting for new events.';
export const arrived = (what: string) => `New: ${what}.`;
export const caption = 'Events';
export const details = 'Details';
export const emptyTitle = 'No events yet';
export const empty = 'Whatever is changed here appears in this list, from the next login on.';
export const noneTitle = 'No events match';
export const noneMatch = 'No event fits these filters.';
export const noneHere = 'No event of this page fits these filters. Older ones may.';
export const userAgent = 'Program';
export const request = 'Request';
export const place = 'Place in the chain';
export const hash = 'Hash';
export const reason = 'Why';
export const token = 'Token';
export const count = 'Tokens';
export const before = 'Before';
export const after = 'After';
export const member = 'Changed';
export const notLinked = 'not linked yet';
export const onlyBy = (who: string) => `Only what ${who} did`;
export const onlyToken = 'Only this token';
const exportIt = 'Export';

export { exportIt as export };
export const exportTitle = 'Export events';
export const exportWhy =
  'All events of the organization, oldest first, one JSON object on each line. With the hashes, anybody can check that none is missing or changed.';
export const format = 'Format';
export const formats = { latchkey: 'Latchkey, as this API shows them', ocsf: 'OCSF 1.3, for security tools' };
export const download = 'Download';
export const downloading = (number: number) => `${number.toLocaleString()} events so far…`;
export const downloaded = (number: number) => `Exported ${number.toLocaleString()} events.`;
