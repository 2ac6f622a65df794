import type { Schema } from './schema.js';

/** What a column's values are, on both engines. */
export type Kind = 'integer' | 'text' | 'bytes';

export interface Table<Columns> {
  /** The columns of the primary key. */
  key: readonly (keyof Columns & string)[];
  /** All columns, in the order in which a copy writes them. */
  columns: { [Column in keyof Columns]-?: Kind };
  /** Whether the database gives the ids, each once and never again. */
  givesIds?: true;
  /** Whether the migrations write rows, so that a new database has some. */
  hasRowsAtFirst?: true;
  /** Whether the table is unlogged on PostgreSQL, so that a crash empties it. */
  isUnlogged?: true;
}

/** All tables. Each table comes after the tables that it refers to. */
export const TABLES: { [Name in keyof Schema]: Table<Schema[Name]> } = {
  organizations: {
    key: ['id'],
    columns: {
      id: 'integer',
      uuid: 'bytes',
      name: 'text',
      slug: 'text',
      created_at: 'integer',
      audit_since: 'integer',
    },
    givesIds: true,
  },
  users: {
    key: ['id'],
    columns: {
      id: 'integer',
      organization_id: 'integer',
      kind: 'text',
      email: 'text',
      external_id: 'text',
      full_name: 'text',
      password_hash: 'text',
      is_admin: 'integer',
      created_at: 'integer',
      disabled_at: 'integer',
      search: 'text',
      contact_email: 'text',
      metadata: 'text',
      deleted_at: 'integer',
      scopes: 'text',
    },
    givesIds: true,
  },
  managers: {
    key: ['service_id', 'user_id'],
    columns: { service_id: 'integer', user_id: 'integer', created_at: 'integer' },
  },
  memberships: {
    key: ['organization_id', 'user_id'],
    columns: { organization_id: 'integer', user_id: 'integer', role: 'text', created_at: 'integer' },
  },
  identities: {
    key: ['issuer', 'subject'],
    columns: { issuer: 'text', subject: 'text', user_id: 'integer', created_at: 'integer' },
  },
  scope_sets: {
    key: ['id'],
    columns: { id: 'integer', scopes: 'text' },
    givesIds: true,
    hasRowsAtFirst: true,
  },
  scope_set_members: {
    key: ['scope', 'scope_set_id'],
    columns: { scope: 'text', scope_set_id: 'integer' },
    hasRowsAtFirst: true,
  },
  access_tokens: {
    key: ['id'],
    columns: {
      id: 'integer',
      uuid: 'bytes',
      organization_id: 'integer',
      owner_id: 'integer',
      type: 'text',
      name: 'text',
      prefix: 'text',
      created_at: 'integer',
      expires_at: 'integer',
      last_used_at: 'integer',
      revoked_at: 'integer',
      disabled_at: 'integer',
      scope_set_id: 'integer',
      version: 'integer',
      secret_start: 'bytes',
      description: 'text',
      metadata: 'text',
      lifetime_from: 'integer',
      previous_prefix: 'text',
      previous_valid_until: 'integer',
      previous_last_used_at: 'integer',
      search: 'text',
      settings: 'text',
      created_by: 'integer',
      created_with: 'integer',
      revoked_by: 'integer',
      revoked_reason: 'text',
    },
    givesIds: true,
  },
  token_secrets: {
    key: ['digest'],
    columns: { digest: 'bytes', token_id: 'integer', valid_until: 'integer' },
  },
  refresh_tokens: {
    key: ['digest'],
    columns: { digest: 'bytes', token_id: 'integer', expires_at: 'integer', spent_at: 'integer' },
  },
  idempotent_answers: {
    key: ['id'],
    columns: { id: 'bytes', sealed: 'bytes', expires_at: 'integer' },
  },
  login_attempts: {
    key: ['key'],
    columns: { key: 'bytes', failed: 'integer', under_way: 'integer', expires_at: 'integer' },
    isUnlogged: true,
  },
  jobs: {
    key: ['name'],
    columns: { name: 'text', claimed_until: 'integer', cursor: 'text' },
  },
  audit_events: {
    key: ['id'],
    columns: {
      id: 'integer',
      uuid: 'bytes',
      organization_id: 'integer',
      seq: 'integer',
      at: 'integer',
      action: 'text',
      actor_kind: 'text',
      actor_id: 'integer',
      actor_token: 'bytes',
      actor_label: 'text',
      address: 'text',
      user_agent: 'text',
      request_id: 'text',
      owner_id: 'integer',
      target_kind: 'text',
      target_uuid: 'bytes',
      target_label: 'text',
      target_prefix: 'text',
      reason: 'text',
      changes: 'text',
      hash: 'bytes',
    },
    givesIds: true,
  },
  audit_heads: {
    key: ['organization_id'],
    columns: {
      organization_id: 'integer',
      seq: 'integer',
      hash: 'bytes',
      pruned_seq: 'integer',
      pruned_hash: 'bytes',
    },
  },
  leak_reports: {
    key: ['id'],
    columns: {
      id: 'integer',
      received_at: 'integer',
      address: 'text',
      user_agent: 'text',
      request_id: 'text',
      source: 'text',
      url: 'text',
      digests: 'bytes',
    },
    givesIds: true,
  },
  outgoing_mails: {
    key: ['id'],
    columns: {
      id: 'integer',
      message_id: 'text',
      owner_id: 'integer',
      subject: 'text',
      text: 'text',
      tries: 'integer',
      created_at: 'integer',
      due_at: 'integer',
    },
    givesIds: true,
  },
  offboardings: {
    key: ['user_id'],
    columns: {
      user_id: 'integer',
      to_id: 'integer',
      begun_at: 'integer',
      ended_at: 'integer',
      reached_at: 'integer',
      reached_id: 'integer',
      sessions: 'integer',
      tokens: 'integer',
      cut: 'integer',
    },
  },
  secret_keys: {
    key: ['id'],
    columns: { id: 'integer', digest: 'bytes', created_at: 'integer' },
  },
  webhooks: {
    key: ['id'],
    columns: {
      id: 'integer',
      uuid: 'bytes',
      organization_id: 'integer',
      url: 'text',
      description: 'text',
      event_types: 'text',
      secret: 'bytes',
      previous_secret: 'bytes',
      previous_valid_until: 'integer',
      created_at: 'integer',
      disabled_at: 'integer',
      disabled_reason: 'text',
      last_success_at: 'integer',
      last_failure_at: 'integer',
      after_id: 'integer',
      after_seq: 'integer',
      claimed_until: 'integer',
      claimed_by: 'bytes',
    },
    givesIds: true,
  },
  webhook_deliveries: {
    key: ['id'],
    columns: {
      id: 'integer',
      uuid: 'bytes',
      webhook_id: 'integer',
      event_uuid: 'bytes',
      seq: 'integer',
      event_type: 'text',
      payload: 'text',
      status: 'text',
      created_at: 'integer',
      begun_at: 'integer',
      due_at: 'integer',
      attempts: 'integer',
      retries: 'integer',
      last_attempt_at: 'integer',
      last_status: 'integer',
      last_error: 'text',
    },
    givesIds: true,
  },
};

export type TableName = keyof Schema;

/** The names in the order in which a copy writes the tables. */
export const tableNames = Object.keys(TABLES) as TableName[];

export function tableOf(name: TableName): Table<Record<string, unknown>> {
  return TABLES[name];
}
