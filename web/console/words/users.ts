import type { Offboarded } from '../../../client/index.js';
import { count, countTokens } from './count.js';

export const title = 'Users';
export const lead = 'People who log in, and the other owners of tokens.';
export const search = 'Search';
export const searchHint = 'Name, e-mail or id';
export const name = 'Name';
export const email = 'E-mail';
export const role = 'Role';
export const since = 'Since';
export const admin = 'Administrator';
export const kinds = 'Show users by kind';
export const everyKind = 'Everyone';
export const kindsOf = { person: 'People', service: 'Services', external: 'External owners' };
export const kindOf = { person: 'User', service: 'Service', external: 'External owner' };
export const kind = 'Kind';
export const offboard = 'Offboard';
export const offboardTitle = (name: string) => `Offboard ${name}`;
export const offboardWhy = 'They cannot log in any more, and their sessions end at once. What happens to their tokens?';
export const offboardRevoke = 'Revoke them';
export const offboardTransfer = 'Give them to another owner, with the same secrets';
export const offboardWould = ({ sessionCount, revokedCount, transferredCount, cutCount, unmanagedCount }: Offboarded) =>
  [
    count(sessionCount, 'session ends', 'sessions end'),
    ...(revokedCount > 0 ? [`${countTokens(revokedCount)} revoked`] : []),
    ...(transferredCount > 0 ? [`${countTokens(transferredCount)} given to the new owner`] : []),
    ...(cutCount > 0 ? [`${String(cutCount)} of them without some scopes`] : []),
    ...(unmanagedCount > 0 ? [`${count(unmanagedCount, 'service', 'services')} left without a manager`] : []),
  ].join(', ');
export const offboarded = (name: string) => `Offboarded ${name}.`;
export const you = 'you';
export const disabled = 'Disabled';
export const caption = 'Users';
export const none = 'No user matches your search.';
export const isAdmin = 'Administrator';
export const isAdminHint = 'Can manage users, webhooks and the policy, and read the audit log.';
export const added = (email: string) => `Added ${email}.`;
export const passwordTitle = 'Give them this password';
export const passwordWhy = 'It is shown this one time. They can change it under Sessions after they log in.';
export const password = 'Password';
export const copyPassword = 'Copy the password';
export const copiedPassword = 'Copied the password.';
export const back = 'All users';
export const details = 'Details';
export const tokens = 'Show tokens';
export const disable = 'Disable';
export const enable = 'Enable';
export const disableTitle = (name: string) => `Disable ${name}?`;
export const disableOwnerWhy = 'Its tokens are rejected until you enable it again.';
export const disableWhy = 'Their sessions end at once, and their tokens are rejected until you enable them again.';
export const disabledNow = (name: string) => `Disabled ${name}.`;
export const enabledNow = (name: string) => `Enabled ${name}.`;
export const reset = 'New password';
export const resetTitle = (name: string) => `New password for ${name}`;
export const resetWhy = 'Their sessions end at once.';
export const resetTokens = 'Revoke all their tokens too';
export const resetDone = (name: string) => `Changed the password of ${name}.`;
export const revokeTokens = 'Revoke all tokens';
export const revokeTitle = (name: string) => `Revoke all tokens of ${name}?`;
export const revokeOwnerWhy = 'All its tokens end at once. This cannot be undone.';
export const revokeWhy = 'Their sessions and all their personal access tokens end at once. This cannot be undone.';
export const revokedTokens = (name: string) => `Revoked all tokens of ${name}.`;
export const saved = 'Saved.';
