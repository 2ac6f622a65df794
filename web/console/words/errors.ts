import type { LatchkeyErrorCode } from '../../../client/index.js';
import { count } from './count.js';

/** What each error means to the person in front of the page; a function gets the names that the service's sentence ends with. */
type Sentences = Record<
  Exclude<LatchkeyErrorCode, 'invalid_input' | 'too_many_requests'>,
  string | ((names: string) => string)
>;

export const errors: Sentences & { too_many_requests: (seconds: number) => string } = {
  network_error: 'The service did not answer. Check your connection and try again.',
  timeout: 'The service took too long to answer. Try again.',
  unexpected_answer: 'Something between this page and the service answered in its place. Try again in a moment.',
  overloaded: 'The service is busy. Try again in a moment.',
  service_unavailable: 'The service is not available at the moment. Try again in a moment.',
  clock_skew: 'The clocks of the service and its database differ too much. Tell its operator.',
  internal_error: 'Something went wrong in the service. Its operator finds the cause in the log under the request id.',
  secret_key_missing:
    'The service cannot keep the secrets of webhooks: its operator must set LATCHKEY_SECRET_KEY_FILE.',
  too_many_requests: (seconds) => `Too many failed logins. Try again in ${count(seconds, 'second', 'seconds')}.`,

  unauthorized: 'You are not logged in any more.',
  user_disabled: 'This account is disabled. An administrator can enable it.',
  insufficient_scope: 'You are not allowed to do this.',
  superseded_secret: 'Your session has been renewed elsewhere. Load this page again.',
  cross_site_request: 'The request did not come from this page. Load the page again.',
  credential_not_allowed: 'This can only be sent without being logged in.',
  invalid_signature: 'The signature does not fit.',

  not_found: 'This does not exist, or not any more.',
  owner_not_found: 'There is no such owner any more.',
  precondition_failed: 'Somebody else changed this meanwhile. Look at the change, then try again.',
  events_gone: 'The events before are deleted. Load the page again.',

  email_taken: 'Somebody has this e-mail already.',
  last_admin: 'This is the only administrator. Make somebody else one first.',
  offboarding_under_way: 'This user is being offboarded. Wait until that has ended.',
  owner_disabled: 'This owner is disabled. Enable it first.',
  scopes_above_ceiling: (scopes) => `This owner may not have these scopes: ${scopes}`,
  token_expired: 'This token has expired. Rotate it to give it a new lifetime.',
  token_limit_reached: 'This owner has as many tokens as the policy allows. Revoke one first.',
  token_revoked: 'This token is revoked, and cannot be changed any more.',
  url_not_allowed: (why) => `The service may not send to this address: ${why}`,
  webhook_disabled: 'This webhook is disabled. Enable it first.',
  webhook_limit_reached: 'There are as many webhooks as there can be. Delete one first.',

  bad_request: 'The service does not understand this request. Load the page again.',
  idempotency_conflict: 'This was sent before. Load the page again to see what came of it.',
  method_not_allowed: 'The service does not know this request. Load the page again.',
  payload_too_large: 'This is too much text for one request.',
  unsupported_media_type: 'The service does not understand this request. Load the page again.',
};
