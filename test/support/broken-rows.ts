// What `latchkey check` finds in the rows of three tokens of one user, on both engines.

const USER = '(select min(id) from users)';
const TOKEN = '(select min(id) from access_tokens)';

const WEBHOOK = `insert into webhooks (uuid, organization_id, url, secret, created_at, after_id, after_seq)
  select uuid, 1, 'https://example.org', hash, 1, 0, 0 from audit_events where seq = 1`;

/** What is broken, the statements that break it where no reference is enforced, and what the report then has. */
export const BROKEN_ROWS: [what: string, statements: string, fault: string | RegExp][] = [
  [
    'secrets of no token',
    `delete from access_tokens where id = ${TOKEN}`,
    'rows of token_secrets that refer to a missing row of access_tokens: 1',
  ],
  [
    'tokens of no owner',
    `delete from users where id = ${USER}`,
    'tokens whose owner, creator or revoker is no user: 3',
  ],
  [
    'tokens without a secret',
    `delete from token_secrets where token_id = ${TOKEN}`,
    'tokens without a newest secret: 1',
  ],
  [
    'tokens of no scope set',
    `update access_tokens set scope_set_id = 999 where id = ${TOKEN}`,
    'tokens without a scope set: 1',
  ],
  [
    'a uuid that two tokens have',
    `update access_tokens set created_at = other.created_at, uuid = other.uuid
        from (select created_at, uuid from access_tokens where id = ${TOKEN}) as other where id = ${TOKEN} + 1`,
    'uuids that several tokens have: 1',
  ],
  [
    'scopes that nothing finds',
    "delete from scope_set_members where scope = 'tokens:read'",
    /scope sets whose members are not their words: [12]/,
  ],
  [
    'a secret that its token does not know',
    `update access_tokens set secret_start = substr(uuid, 1, 1) where id = ${TOKEN}`,
    'tokens that do not know their newest secret: 1',
  ],
  [
    'an answer that nothing opens',
    `insert into idempotent_answers select substr(uuid, 1, 1), substr(uuid, 1, 1), 1 from access_tokens where id = ${TOKEN}`,
    'kept answers that nothing can open: 1',
  ],
  [
    "a token of an organization that is not its owner's",
    `update access_tokens set organization_id = 2 where id = ${TOKEN}`,
    'tokens of an organization that their owner does not belong to: 1',
  ],
  [
    'a token without a version',
    `update access_tokens set version = 0 where id = ${TOKEN}`,
    'tokens without a version: 1',
  ],
  [
    'a reason for what did not happen',
    `update access_tokens set revoked_reason = 'admin' where id = ${TOKEN}`,
    'tokens that know who revoked them, or why, and are not revoked: 1',
  ],
  [
    'settings that are a list',
    `update access_tokens set settings = '[]' where id = ${TOKEN}`,
    'tokens whose settings are no JSON object: 1',
  ],
  [
    'settings that are no JSON',
    `update access_tokens set settings = '{' where id = ${TOKEN}`,
    'tokens whose settings are no JSON object: 1',
  ],
  [
    'a search text that is missing',
    `update access_tokens set name = 'Ä' where id = ${TOKEN}; update users set search = 'A'`,
    'tokens and users whose search text is not that of their texts: 2',
  ],
  [
    'words that nothing knows',
    `update access_tokens set type = 'robot' where id = ${TOKEN}; update users set kind = 'robot'`,
    'rows with a type, kind, role or reason that this version does not know: 2',
  ],
  [
    'an event whose place was taken away',
    'update audit_events set seq = null where seq = 1',
    'events that have a place in the chain without a hash, or a hash without a place: 1',
  ],
  [
    'a last event that is gone',
    'delete from audit_events where seq = (select max(seq) from audit_events)',
    'organizations whose last event is not the one that was linked last: 1',
  ],
  [
    'an action that nothing knows',
    "update audit_events set action = 'token.eaten' where seq = 1",
    'events with an action, actor or target that this version does not know: 1',
  ],
  [
    'a report of half a digest',
    'insert into leak_reports (received_at, digests) select 1, substr(uuid, 1, 8) from organizations limit 1',
    'reports of leaks that contain no digests: 1',
  ],
  [
    'a mail to nobody',
    `insert into outgoing_mails (message_id, owner_id, subject, text, tries, created_at, due_at)
        values ('id', 999, 'a', 'a', 0, 1, 1)`,
    'mails to no user: 1',
  ],
  [
    'a webhook whose secret is too short',
    `${WEBHOOK}; insert into secret_keys select 1, hash, 1 from audit_events where seq = 1; update webhooks set secret = uuid`,
    'webhooks whose secret nothing can decrypt: 1',
  ],
  ['a webhook without a key for its secret', WEBHOOK, 'webhooks whose secret nothing can decrypt: 1'],
  [
    'a webhook that is disabled for nothing',
    `${WEBHOOK}; update webhooks set disabled_at = 1`,
    'webhooks that are disabled without a reason, or have a reason and are not disabled: 1',
  ],
  [
    'a delivery that has ended and is due',
    `${WEBHOOK}; insert into webhook_deliveries (uuid, webhook_id, event_type, payload, status, created_at, begun_at, due_at,
        attempts, retries) select uuid, id, 'token.created', '{}', 'failed', 1, 1, 1, 1, 1 from webhooks`,
    'deliveries that are pending without a time, or have ended and have one: 1',
  ],
  [
    'a manager of somebody who is no service',
    `insert into managers (service_id, user_id, created_at) values (${USER}, ${USER}, 1)`,
    'managers that are no people, or manage no service: 1',
  ],
  [
    'a person with a limit of scopes',
    "update users set scopes = 'a:b'",
    'people whose tokens have a limit of scopes: 1',
  ],
  [
    'somebody who leaves and is enabled',
    `insert into offboardings (user_id, begun_at, sessions, tokens, cut) values (${USER}, 1, 0, 0, 0)`,
    'offboardings under way of users who are enabled: 1',
  ],
  [
    'an external owner with a password',
    `update users set kind = 'external', search = null where id = ${USER}`,
    'users who are no people, and have a password, an e-mail to log in with or the rights of an administrator: 1',
  ],
  [
    'a deleted owner who is still known',
    `update users set deleted_at = 1, disabled_at = 1, metadata = '{}' where id = ${USER}`,
    'users who are deleted, of whom something is still known: 1',
  ],
  [
    'metadata that are no JSON',
    `update users set metadata = '{' where id = ${USER}`,
    'users whose metadata are no JSON object: 1',
  ],
];
