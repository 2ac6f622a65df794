import type { Webhook, WebhookDelivery } from '../../../client/index.js';

export const disabledReasons: Record<NonNullable<Webhook['disabledReason']>, string> = {
  manual: 'An administrator disabled it.',
  gone: 'Its server answered 410, which means that it wants no more.',
  failing: 'Deliveries failed for three days.',
};

export const failures: Record<NonNullable<WebhookDelivery['lastError']>, string> = {
  status: 'rejected',
  redirect: 'answered with a redirect',
  timeout: 'no answer within 15 seconds',
  forbidden_target: 'this address is not allowed',
  unknown_host: 'the host has no address',
  tls: 'the certificate is not valid',
  connection: 'no connection',
};

export const statuses: Record<WebhookDelivery['status'], string> = {
  pending: 'Waiting',
  delivered: 'Delivered',
  failed: 'Failed',
};

export const title = 'Webhooks';
export const lead = 'Servers of yours that are told what happens here, by signed requests.';
export const create = 'New webhook';
export const caption = 'Webhooks';
export const url = 'URL';
export const urlHint = 'An https URL. Any part of it may be secret.';
export const description = 'Description';
export const types = 'Events';
export const typesHint = 'What is sent to it.';
export const allTypes = 'Everything';
export const chosenTypes = 'Only these';
export const someTypes = (number: number) => (number === 1 ? '1 kind of event' : `${String(number)} kinds of events`);
export const noType = 'Choose at least one.';
export const state = 'State';
export const enabled = 'Enabled';
export const disabled = 'Disabled';
export const failing = 'Failing';
export const lastSuccess = 'Last delivered';
export const lastFailure = 'Last failed';
export const created = 'Created';
export const emptyTitle = 'No webhooks yet';
export const empty =
  'A webhook tells your own server when a token is created, leaks, is about to expire or is revoked.';
export const back = 'All webhooks';
export const createTitle = 'New webhook';
export const submit = 'Create webhook';
export const createdNow = 'Created the webhook.';
export const revealWhy =
  'Your server checks the signature of each delivery with it. It is shown this one time; if you lose it, rotate it.';
export const secret = 'Signing secret';
export const copySecret = 'Copy the secret';
export const copiedSecret = 'Copied the secret.';
export const details = 'Details';
export const formerSecret = 'Former secret';
export const formerUntil = 'signs too until';
export const test = 'Send a test';
export const tested = 'Sent a test. Its delivery is in the list below.';
export const edit = 'Edit';
export const editTitle = 'Edit webhook';
export const saved = 'Saved.';
export const enable = 'Enable';
export const disable = 'Disable';
export const enabledNow = 'Enabled the webhook.';
export const disabledNow = 'Disabled the webhook.';
export const disabledWhat = 'It gets nothing, and what happens until it is enabled is not sent later.';
export const rotate = 'Rotate the secret';
export const rotateWhy =
  'From now on, deliveries are signed with a new secret. The former one signs too, until you have changed your server.';
export const grace = 'The former secret stops signing';
export const rotated = 'Rotated the secret.';
const deleteIt = 'Delete';

export { deleteIt as delete };
export const deleteTitle = 'Delete this webhook?';
export const deleteWhy = 'Nothing more is sent to it, and its deliveries are forgotten. This cannot be undone.';
export const deleted = 'Deleted the webhook.';
export const deliveries = 'Deliveries';
export const deliveriesLead = 'What was sent in the last 30 days, newest first.';
export const deliveriesBy = 'Show deliveries by status';
export const all = 'All';
export const testEvent = 'Test';
export const attempts = (number: number) => (number === 1 ? '1 attempt' : `${String(number)} attempts`);
export const noAnswer = 'Not sent yet';
export const next = 'next';
export const redeliver = 'Send again';
export const redeliverOf = (what: string) => `Send again: ${what}`;
export const redelivered = 'It is sent again.';
export const noDeliveries = 'No deliveries yet';
export const noDeliveriesWhy = 'Send a test to see whether your server takes it.';
export const noneWith = (status: string) => `No deliveries with the status “${status.toLowerCase()}”.`;
export const redeliverAll = 'Send failed ones again';
export const redeliverAllWhy = 'Sends again, oldest first, whatever failed for the last time since this day.';
export const since = 'Since';
export const sentAgain = (number: number) =>
  number === 0
    ? 'Nothing had failed since then.'
    : number === 1
      ? '1 delivery is sent again.'
      : `${String(number)} deliveries are sent again.`;
