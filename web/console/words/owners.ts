import { countTokens } from './count.js';

// Services, external owners, and what moves from one owner to another.

export const add = { person: 'Add user', service: 'Add service', external: 'Add external owner' };
export const added = (name: string) => `Added ${name}.`;
export const edit = 'Edit';
export const editService = 'Edit service';
export const editExternal = 'Edit external owner';
export const saved = 'Saved.';
export const name = 'Name';
export const serviceHint = 'What runs with its tokens, such as “deploy jobs”.';
export const managers = 'Managers';
export const noManagers = 'Nobody. Administrators alone act for it.';
export const ceiling = 'Scopes it may have';
export const ceilingHint = 'Tokens that exist keep their scopes.';
export const anyScopes = 'Any scopes';
export const someScopes = 'Only these';
export const scopes = 'Scopes';
export const scopesHint = 'Words separated by spaces, such as deployments:write tokens:read.';
export const externalId = 'Id in your own system';
export const externalIdHint = 'It cannot be changed later.';
export const taken = (id: string) => `There is an external owner with the id ${id} already.`;
export const email = 'E-mail';
export const emailHint = 'Shown to administrators. Nothing is sent to it.';
export const metadata = 'Metadata';
export const key = (number: number) => `Key ${String(number)}`;
export const keyHint = 'Key, such as plan';
export const value = (number: number) => `Value ${String(number)}`;
export const valueHint = 'Value';
export const addPair = 'Add a pair';
export const removePair = (number: number) => `Remove pair ${String(number)}`;
const deleteIt = 'Delete';

export { deleteIt as delete };
export const deleteTitle = (name: string) => `Delete ${name}?`;
export const deleteWhy =
  'The name, e-mail and metadata are forgotten. Programs that use its tokens are rejected at once. This cannot be undone.';
export const wouldRevoke = (number: number) =>
  number === 0 ? 'It has no tokens.' : `${countTokens(number)} ${number === 1 ? 'is' : 'are'} revoked.`;
export const deleted = (name: string) => `Deleted ${name}.`;
export const search = 'Find an owner';
export const searchHint = 'Name, e-mail or id';
export const chosen = 'Chosen';
export const found = 'Found';
export const none = 'Nobody else is found.';
export const remove = (name: string) => `Remove ${name}`;
export const transfer = 'Give to another owner';
export const transferWhy = 'The tokens keep their secrets, so programs that use them notice nothing.';
export const newOwner = 'New owner';
export const cut = 'Remove scopes that the new owner may not have';
export const wouldTransfer = (number: number, cut: number) =>
  `${countTokens(number)} ${number === 1 ? 'moves' : 'move'}${cut > 0 ? `, and ${String(cut)} of them ${cut === 1 ? 'loses' : 'lose'} scopes` : ''}.`;
export const andMore = 'Others follow.';
export const transferred = (number: number, name: string) => `Gave ${countTokens(number)} to ${name}.`;
export const services = 'Services';
export const servicesLead = 'Owners of tokens for programs, which you manage.';
export const noServices = 'You manage no service';
export const noServicesWhat = 'Ask an administrator to make you the manager of a service. Then it appears here.';
export const unmanaged = 'Services without a manager';
